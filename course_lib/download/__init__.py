"""Large files from the network: fetched with patience, checked, unpacked whole or not at all."""

from course_lib.download.archives import unpack
from course_lib.download.errors import DownloadError
from course_lib.download.http import Progress, Remote, fetch

__all__ = ["DownloadError", "Progress", "Remote", "fetch", "unpack"]
