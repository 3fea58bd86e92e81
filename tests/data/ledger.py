"""A ledger of transactions: reads a CSV, checks it, keeps balances, finds oddities, writes reports.

A program of ordinary size and ordinary means (csv, decimal, dataclasses, datetime, collections,
heapq, json, hashlib, statistics), as somebody would hand it to a sandbox. It reads `ledger.in.csv`
in the current folder and writes `balances.csv`, `monthly.csv`, `report.json` and `report.txt`.
"""

import collections
import csv
import dataclasses
import datetime
import decimal
import enum
import functools
import hashlib
import heapq
import itertools
import json
import math
import re
import statistics
import sys
import textwrap

CENT = decimal.Decimal("0.01")
ACCOUNT = re.compile(r"^[A-Z]{2}\d{6}$")
LARGE = decimal.Decimal("9000.00")
TOP = 12


class Kind(enum.Enum):
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER = "transfer"
    FEE = "fee"


class BadRow(Exception):
    """A row that cannot be booked, with the reason."""


@dataclasses.dataclass(frozen=True, order=True)
class Transaction:
    when: datetime.datetime
    number: int
    kind: Kind = dataclasses.field(compare=False)
    source: str = dataclasses.field(compare=False)
    target: str = dataclasses.field(compare=False)
    amount: decimal.Decimal = dataclasses.field(compare=False)
    note: str = dataclasses.field(compare=False, default="")

    @property
    def month(self):
        return f"{self.when:%Y-%m}"

    def legs(self):
        """The changes that this transaction makes: (account, signed amount)."""
        if self.kind in (Kind.WITHDRAWAL, Kind.FEE):
            yield self.source, -self.amount
        elif self.kind is Kind.DEPOSIT:
            yield self.target, self.amount
        else:
            yield self.source, -self.amount
            yield self.target, self.amount


def parse_amount(text):
    try:
        amount = decimal.Decimal(text)
    except decimal.InvalidOperation:
        raise BadRow(f"amount {text!r} is not a number") from None
    if not amount.is_finite() or amount <= 0:
        raise BadRow(f"amount {text!r} is not positive")
    return amount.quantize(CENT, rounding=decimal.ROUND_HALF_EVEN)


def parse_account(text, name, wanted):
    if not wanted:
        if text:
            raise BadRow(f"{name} given but not wanted")
        return ""
    if not ACCOUNT.match(text):
        raise BadRow(f"{name} {text!r} is no account")
    return text


def parse_row(number, row):
    if len(row) != 6:
        raise BadRow(f"{len(row)} columns")
    when, kind, source, target, amount, note = row
    try:
        moment = datetime.datetime.fromisoformat(when)
    except ValueError:
        raise BadRow(f"time {when!r}") from None
    try:
        what = Kind(kind)
    except ValueError:
        raise BadRow(f"kind {kind!r}") from None
    has_source = what is not Kind.DEPOSIT
    has_target = what in (Kind.DEPOSIT, Kind.TRANSFER)
    transaction = Transaction(
        when=moment, number=number, kind=what,
        source=parse_account(source, "source", has_source),
        target=parse_account(target, "target", has_target),
        amount=parse_amount(amount), note=note.strip())
    if transaction.source and transaction.source == transaction.target:
        raise BadRow("source and target are the same")
    return transaction


def read(path):
    """All transactions in the order of time, and the rows that were refused."""
    good, bad = [], []
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        header = next(rows)
        if header != ["when", "kind", "source", "target", "amount", "note"]:
            sys.exit(f"unexpected header: {header}")
        for number, row in enumerate(rows, start=2):
            try:
                good.append(parse_row(number, row))
            except BadRow as problem:
                bad.append((number, str(problem)))
    good.sort()
    return good, bad


class Account:
    """Running figures of one account."""

    __slots__ = ("name", "balance", "lowest", "highest", "count", "last", "overdrawn")

    def __init__(self, name):
        self.name = name
        self.balance = decimal.Decimal(0)
        self.lowest = self.highest = self.balance
        self.count = 0
        self.last = None
        self.overdrawn = 0

    def book(self, when, change):
        was_negative = self.balance < 0
        self.balance += change
        self.lowest = min(self.lowest, self.balance)
        self.highest = max(self.highest, self.balance)
        self.count += 1
        self.last = when
        if self.balance < 0 and not was_negative:
            self.overdrawn += 1


class Ledger:
    def __init__(self):
        self.accounts = {}
        self.months = collections.defaultdict(collections.Counter)
        self.volumes = collections.defaultdict(lambda: decimal.Decimal(0))
        self.pairs = collections.Counter()
        self.digest = hashlib.sha256()

    def account(self, name):
        account = self.accounts.get(name)
        if account is None:
            account = self.accounts[name] = Account(name)
        return account

    def book(self, transaction):
        for name, change in transaction.legs():
            self.account(name).book(transaction.when, change)
        self.months[transaction.month][transaction.kind.value] += 1
        self.volumes[transaction.month] += transaction.amount
        if transaction.kind is Kind.TRANSFER:
            self.pairs[transaction.source, transaction.target] += 1
        self.digest.update(
            f"{transaction.number}|{transaction.when.isoformat()}|{transaction.amount}".encode())

    def total(self):
        return sum((account.balance for account in self.accounts.values()), decimal.Decimal(0))


def large_ones(transactions):
    return heapq.nlargest(TOP, (t for t in transactions if t.amount >= LARGE),
                          key=lambda t: (t.amount, -t.number))


def bursts(transactions, window=datetime.timedelta(minutes=2), least=4):
    """Accounts that sent at least `least` transfers within `window`."""
    recent = collections.defaultdict(collections.deque)
    found = collections.Counter()
    for transaction in transactions:
        if transaction.kind is not Kind.TRANSFER:
            continue
        queue = recent[transaction.source]
        queue.append(transaction.when)
        while queue[0] < transaction.when - window:
            queue.popleft()
        if len(queue) >= least:
            found[transaction.source] += 1
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))[:TOP]


def first_digits(transactions):
    """How far the leading digits are from Benford's law (sum of squared differences)."""
    counts = collections.Counter(int(str(t.amount).lstrip("0.")[0]) for t in transactions)
    total = sum(counts.values())
    distance = 0.0
    for digit in range(1, 10):
        expected = math.log10(1 + 1 / digit)
        distance += (counts[digit] / total - expected) ** 2
    return round(distance, 9), {str(digit): counts[digit] for digit in range(1, 10)}


@functools.lru_cache(maxsize=None)
def region(account):
    return account[:2]


def by_region(ledger):
    ordered = sorted(ledger.accounts.values(), key=lambda a: (region(a.name), a.name))
    for name, group in itertools.groupby(ordered, key=lambda a: region(a.name)):
        members = list(group)
        balances = [account.balance for account in members]
        yield {
            "region": name,
            "accounts": len(members),
            "sum": str(sum(balances, decimal.Decimal(0))),
            "median": str(statistics.median(balances).quantize(CENT)),
            "negative": sum(balance < 0 for balance in balances),
        }


def write_balances(ledger, path):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["account", "balance", "lowest", "highest", "count", "last", "overdrawn"])
        for name in sorted(ledger.accounts):
            a = ledger.accounts[name]
            writer.writerow([a.name, a.balance, a.lowest, a.highest, a.count, a.last.isoformat(),
                             a.overdrawn])


def write_months(ledger, path):
    kinds = [kind.value for kind in Kind]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["month", *kinds, "volume"])
        for month in sorted(ledger.months):
            counts = ledger.months[month]
            writer.writerow([month, *(counts[kind] for kind in kinds), ledger.volumes[month]])


def report(ledger, transactions, bad):
    distance, digits = first_digits(transactions)
    return {
        "transactions": len(transactions),
        "refused": len(bad),
        "refused_first": bad[:5],
        "accounts": len(ledger.accounts),
        "total": str(ledger.total()),
        "digest": ledger.digest.hexdigest(),
        "benford": {"distance": distance, "digits": digits},
        "large": [[t.number, t.when.isoformat(), str(t.amount), t.note] for t in
                  large_ones(transactions)],
        "bursts": bursts(transactions),
        "pairs": [[*pair, count] for pair, count in
                  sorted(ledger.pairs.items(), key=lambda item: (-item[1], item[0]))[:TOP]],
        "regions": list(by_region(ledger)),
    }


def render(facts):
    lines = [f"{facts['transactions']} transactions on {facts['accounts']} accounts, "
             f"{facts['refused']} rows refused", f"sum of all balances: {facts['total']}", ""]
    width = max(len(row["sum"]) for row in facts["regions"])
    for row in facts["regions"]:
        lines.append(f"{row['region']}  {row['accounts']:>5}  {row['sum']:>{width}}  "
                     f"{'!' * min(row['negative'] // 10, 20)}")
    lines += ["", textwrap.fill("largest: " + ", ".join(amount for _, _, amount, _ in facts["large"]), 72)]
    return "\n".join(lines) + "\n"


def main():
    transactions, bad = read("ledger.in.csv")
    ledger = Ledger()
    for transaction in transactions:
        ledger.book(transaction)
    write_balances(ledger, "balances.csv")
    write_months(ledger, "monthly.csv")
    facts = report(ledger, transactions, bad)
    with open("report.json", "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=1, ensure_ascii=False)
    text = render(facts)
    with open("report.txt", "w", encoding="utf-8") as file:
        file.write(text)
    sys.stdout.write(text)
    print(f"{facts['refused']} rows were refused", file=sys.stderr)
    sys.exit(3 if bad else 0)


if __name__ == "__main__":
    main()
