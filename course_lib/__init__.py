"""The helper package of the workbook: from a Python program to the bytes on a microcontroller.

Importing it loads neither TensorFlow nor matplotlib; each module imports what it needs, when it
needs it.
"""

__version__ = "0.1.0"
