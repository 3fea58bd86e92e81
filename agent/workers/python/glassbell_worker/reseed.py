# SPDX-License-Identifier: Apache-2.0
"""Gives the generators that user code may have loaded a new seed: sessions that start from one
template must not draw the same numbers.  The default generators of `secrets`, uuid4 and numpy's
default_rng() ask the kernel and need nothing.
"""

from . import __builtins__  # noqa: F401  # the originals, as in there

from sys import modules


def seed_random(random, entropy):
    if hasattr(random, '_inst'):
        random._inst.seed(entropy)


def seed_ssl(ssl, entropy):
    if hasattr(ssl, 'RAND_add'):
        ssl.RAND_add(entropy, float(len(entropy)))


def seed_numpy(numpy_random, entropy):
    if hasattr(numpy_random, 'seed'):
        whole = entropy + bytes(-len(entropy) % 4)
        numpy_random.seed([int.from_bytes(whole[at:at + 4], 'little')
                           for at in range(0, len(whole), 4)][:624])


# Modules with generators of their own. Where none of them is loaded, nobody calls (native.c).
GENERATORS = {'random': seed_random, 'ssl': seed_ssl, 'numpy.random': seed_numpy}


def reseed(entropy):
    for name, seed in GENERATORS.items():
        if name in modules:
            seed(modules[name], entropy)
