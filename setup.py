"""Put the bundled data inside the package; everything else stands in pyproject.toml."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["course_lib*"]), "course_lib._data"],
    package_dir={"course_lib._data": "data"},
    package_data={
        "": ["*.md", "*.css", "*.js", "*.mjs", "*.html", "*.c", "*.h", "*.ld", "*.cpp", "*.ino"],
        "course_lib.micro": ["cpp/stubs/**/*.h"],
        "course_lib._data": ["**/*"],
    },
)
