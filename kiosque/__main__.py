"""`python -m kiosque` is the command `kiosque`."""

from kiosque.cli import main

if __name__ == "__main__":
    main()
