# SPDX-License-Identifier: Apache-2.0
"""Ten agents at once, each in a microVM of its own, in a race to find pi.

    python python/examples/ten_agents.py [AGENTS]

Every agent has its own way to pi, and none can see the others. The lanes move as their programs
print; where the output is no terminal, each step is a line.
"""

import argparse
import asyncio
import math
import sys

import glassbell

WAYS = {
    "Leibniz": "4 * sum((-1) ** k / (2 * k + 1) for k in range(n * 2000))",
    "Nilakantha": "3 + sum((-1) ** k * 4 / ((2*k+2) * (2*k+3) * (2*k+4)) for k in range(n * 40))",
    "Wallis": "2 * math.prod(4*k*k / (4*k*k - 1) for k in range(1, n * 2000))",
    "Basel": "math.sqrt(6 * sum(1 / k / k for k in range(1, n * 2000)))",
    "Darts": "4 * sum(random.random()**2 + random.random()**2 < 1 for _ in range(n*500)) / (n*500)",
    "Walkers": "walk(n * 20)",
    "Archimedes": "polygon(n)",
    "Viete": "nested_roots(n)",
    "Machin": "16 * sum((-1)**k / (2*k+1) / 5**(2*k+1) for k in range(n))"
              " - 4 * sum((-1)**k / (2*k+1) / 239**(2*k+1) for k in range(n))",
    "Ramanujan": "9801 / (2 * math.sqrt(2) * sum(math.factorial(4*k) * (1103 + 26390*k)"
                 " / (math.factorial(k)**4 * 396**(4*k)) for k in range(n)))",
}
STEPS = 20
PROGRAM = """
import math, random
random.seed({seed})

def polygon(n):  # sides are doubled, beginning with a hexagon
    side, sides = 1.0, 6
    for _ in range(n):
        side, sides = side / math.sqrt(2 + math.sqrt(4 - side * side)), sides * 2
    return side * sides / 2

def nested_roots(n):
    root, product = 0.0, 1.0
    for _ in range(n):
        root = math.sqrt(2 + root)
        product *= root / 2
    return 2 / product

def walk(n):  # how far drunkards get: the mean distance is sqrt(pi n) / 2 in the plane
    far = sum(abs(sum(complex(random.gauss(0, 1), random.gauss(0, 1)) for _ in range(20)))
              for _ in range(n)) / n
    return 2 * (far ** 2) / 20

for n in range(1, {steps} + 1):
    guess = {way}
    print(n, guess, flush=True)
"""


class Board:
    """The lanes, drawn again in place on a terminal."""

    def __init__(self, names, out=sys.stdout):
        self.lanes = dict.fromkeys(names, (0, "…  waiting for its VM"))
        self.places = []
        self.out = out
        self.live = out.isatty()
        if self.live:
            out.write("\n" * len(self.lanes))

    def move(self, name, step, text):
        self.lanes[name] = (step, text)
        if self.live:
            self.draw()
        else:
            print(f"{name}: {text}", file=self.out, flush=True)

    def draw(self):
        lines = [f"\x1b[{len(self.lanes)}A"]
        for name, (step, text) in self.lanes.items():
            bar = "━" * step + "●" + "┄" * (STEPS - step)
            lines.append(f"\x1b[2K\x1b[36m{name:<11}\x1b[0m {bar} {text}\n")
        self.out.write("".join(lines))
        self.out.flush()


def digits(guess):
    """How many digits of pi are right."""
    error = abs(guess - math.pi)
    return 15 if error < 1e-15 else max(0, min(15, int(-math.log10(error))))


async def agent(client, board, name, way, seed):
    async with await client.open("python", label=name, idle=60) as session:
        board.move(name, 0, f"in its VM ({session.source}, {session.timing['total_ms'] / 1000:.1f} s)")
        best, rest = 0.0, ""

        def read(piece):
            nonlocal best, rest
            *lines, rest = (rest + piece.text).split("\n")
            for line in lines:
                step, guess = line.split()
                best = float(guess)
                board.move(name, int(step), f"{best:.12f}  {digits(best):2} digits")

        cell = await session.exec(PROGRAM.format(seed=seed, steps=STEPS, way=way), on_output=read)
        board.places.append((name, digits(best)))
        text = f"{best:.12f}  {digits(best):2} digits, came in {len(board.places)}."
        board.move(name, STEPS, text if cell.ok else f"fell: {cell.stderr.strip().splitlines()[-1]}")
        return cell.ok


async def race(count, socket=None):
    names = [list(WAYS)[n % len(WAYS)] + ("" if n < len(WAYS) else f" {n // len(WAYS) + 1}")
             for n in range(count)]
    board = Board(names)
    async with glassbell.AsyncClient(socket, name="race") as client:
        done = await asyncio.gather(*(
            agent(client, board, name, WAYS[name.split()[0]], seed)
            for seed, name in enumerate(names)))
    best = sorted(board.places, key=lambda place: -place[1])[:3]
    print("\nThe most digits: " + ", ".join(
        f"{medal} {name} ({right})" for medal, (name, right) in zip("🥇🥈🥉", best)))
    return 0 if all(done) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("agents", nargs="?", type=int, default=10)
    parser.add_argument("--socket")
    arguments = parser.parse_args()
    sys.exit(asyncio.run(race(arguments.agents, arguments.socket)))
