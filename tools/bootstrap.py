"""Set up the workbook's virtual environment: python3 tools/bootstrap.py {lab,test,colab}.

Any python3 may start this file, also one that is too old or too new: it looks for a suitable one
and goes on there. So its syntax has to stay readable to old Pythons; environment.py does the work.
"""

from __future__ import print_function

import glob
import os
import subprocess
import sys

OLDEST, NEWEST = (3, 11), (3, 13)
COLAB = (3, 13)


def main(arguments):
    """Go on in a suitable Python, with the tool named by `arguments`; return its exit code."""
    if len(arguments) != 1 or arguments[0] not in ("lab", "test", "colab"):
        print("usage: python3 tools/bootstrap.py {lab,test,colab}", file=sys.stderr)
        return 2
    oldest = COLAB if arguments[0] == "colab" else OLDEST
    if not oldest <= sys.version_info[:2] <= NEWEST:
        python = find_python(oldest)
        if python is None:
            print(refusal(oldest), file=sys.stderr)
            return 1
        return subprocess.call([python, os.path.abspath(__file__)] + arguments)
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from tools import environment

    return environment.main(arguments[0])


def find_python(oldest=OLDEST, newest=NEWEST):
    """Return the first suitable Python on the PATH or in pyenv, None where there is none."""
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    for minor in range(newest[1], oldest[1] - 1, -1):
        name = "python3.%d" % minor
        installed = os.path.join(pyenv, "versions", "3.%d.*" % minor, "bin", "python")
        for candidate in [name] + sorted(glob.glob(installed)):
            if version(candidate) == (3, minor):
                return candidate
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
        "This needs Python %s, and found only %d.%d (%s): install one, or name one as in "
        "`make lab PYTHON=/path/to/python3.12`."
        % ((wanted,) + tuple(sys.version_info[:2]) + (sys.executable,))
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
