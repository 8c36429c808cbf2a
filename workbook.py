"""The workbook's one entry: python workbook.py COMMAND, on Linux, macOS and Windows.

Any Python may start this file, also one that is too old or too new: it looks for a suitable one
and goes on there. So its syntax has to stay readable to old Pythons; tools/commands.py does the
work. `make COMMAND` is the same, for whoever has make.
"""

from __future__ import print_function

import glob
import os
import subprocess
import sys

OLDEST, NEWEST = (3, 11), (3, 13)
COLAB = (3, 13)


def main(arguments):
    """Run the command that `arguments` begin with in a suitable Python; return its exit code."""
    oldest = COLAB if arguments[:1] == ["test-colab"] else OLDEST
    if not oldest <= sys.version_info[:2] <= NEWEST:
        python = find_python(oldest)
        if python is None:
            print(refusal(oldest), file=sys.stderr)
            return 1
        return subprocess.call([python, os.path.abspath(__file__)] + arguments)
    root = os.path.dirname(os.path.abspath(__file__))
    os.chdir(root)
    sys.path.insert(0, root)
    from tools import commands

    return commands.main(arguments)


def find_python(oldest=OLDEST, newest=NEWEST):
    """Return the command of the first suitable Python here, None where there is none.

    It is looked for on the PATH, in pyenv, and with the launcher of Windows.
    """
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    for minor in range(newest[1], oldest[1] - 1, -1):
        installed = os.path.join(pyenv, "versions", "3.%d.*" % minor, "bin", "python")
        candidates = ["python3.%d" % minor] + sorted(glob.glob(installed))
        for python in candidates + [launched("-3.%d" % minor)]:
            if python and version(python) == (3, minor):
                return python
    return None


def launched(which):
    """Return the Python that Windows' launcher starts for "-3.12", None where there is none."""
    try:
        with open(os.devnull, "w") as nowhere:
            ask = ["py", which, "-c", "import sys; print(sys.executable)"]
            return subprocess.check_output(ask, stderr=nowhere).decode().strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def version(python):
    """Return the (major, minor) version of a Python executable, None where it does not run."""
    code = "import sys; print('%d %d' % sys.version_info[:2])"
    try:
        with open(os.devnull, "w") as nowhere:
            answer = subprocess.check_output([python, "-c", code], stderr=nowhere)
    except (OSError, subprocess.CalledProcessError):
        return None
    major, minor = answer.split()
    return int(major), int(minor)


def refusal(oldest):
    """Return the sentence that says which Python is missing and how to name it."""
    wanted = ", ".join("3.%d" % minor for minor in range(oldest[1], NEWEST[1] + 1))
    return (
        "This needs Python %s, and found only %d.%d (%s): install one, or start this with it, as "
        "in `python3.12 workbook.py lab` or `make lab PYTHON=/path/to/python3.12`."
        % ((wanted,) + tuple(sys.version_info[:2]) + (sys.executable,))
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
