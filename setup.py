"""Put what is no Python inside the package as well; everything else stands in pyproject.toml."""

from setuptools import find_packages, setup

_KINDS = ("c", "cpp", "css", "h", "html", "ino", "js", "json", "ld", "md", "mjs", "sh", "wasm")
_KINDS += ("yml",)

setup(
    packages=[*find_packages(include=["course_lib*"]), "course_lib._data"],
    package_dir={"course_lib._data": "data"},
    package_data={
        "": [f"**/*.{kind}" for kind in _KINDS],
        "course_lib._data": ["**/*"],
    },
)
