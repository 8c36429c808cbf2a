"""The recipe of the bundled speech: see README.md and make_speech.py."""
