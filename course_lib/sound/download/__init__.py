"""Large files from the network: fetched with patience, checked, unpacked whole or not at all."""

from course_lib.sound.download.archives import unpack
from course_lib.sound.download.errors import DownloadError
from course_lib.sound.download.http import Progress, Remote, fetch

__all__ = ["DownloadError", "Progress", "Remote", "fetch", "unpack"]
