"""`python -m tests.fake_fal SCRIPT [ARGUMENTS]`: runs a script against the fake fal."""

from tests.fake_fal.server import main

if __name__ == "__main__":
    main()
