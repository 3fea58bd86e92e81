# For those who look for a Makefile: ./dev does the work, cmake the installation.
PREFIX ?= /usr/local

all:
	./dev build release
	./dev images

# The prefix is part of the program, which looks for its parts there.
install: all
	cmake --preset release -DCMAKE_INSTALL_PREFIX=$(PREFIX) >/dev/null
	ninja -C build/release
	DESTDIR="$(DESTDIR)" cmake --install build/release

# What the last `make install` put there; sessions, settings and caches of users stay.
uninstall:
	DESTDIR="$(DESTDIR)" packaging/uninstall build/release/install_manifest.txt $(PREFIX)

test:
	./dev test

clean:
	./dev clean

.PHONY: all install uninstall test clean
