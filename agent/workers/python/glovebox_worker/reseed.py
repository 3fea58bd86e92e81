"""Gives the generators that user code may have loaded a new seed: sessions that start from one
template must not draw the same numbers.  The default generators of `secrets`, uuid4 and numpy's
default_rng() ask the kernel and need nothing.
"""

import sys


def reseed(entropy):
    random = sys.modules.get('random')
    if hasattr(random, '_inst'):
        random._inst.seed(entropy)
    ssl = sys.modules.get('ssl')
    if hasattr(ssl, 'RAND_add'):
        ssl.RAND_add(entropy, float(len(entropy)))
    numpy_random = sys.modules.get('numpy.random')
    if hasattr(numpy_random, 'seed'):
        whole = entropy + bytes(-len(entropy) % 4)
        numpy_random.seed([int.from_bytes(whole[at:at + 4], 'little')
                           for at in range(0, len(whole), 4)][:624])
