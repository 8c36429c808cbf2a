"""What lessons ask of Colab, with Colab's own signatures; each call is written to a file."""

from google.colab import output

__all__ = ["output"]
