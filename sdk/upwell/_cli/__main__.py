"""`python -m upwell._cli`."""

from upwell._cli.app import main

if __name__ == "__main__":
    main()
