"""``python -m proving_ground``; ``drone-aed sim`` starts the same."""

from proving_ground.cli import main

if __name__ == "__main__":
    main()
