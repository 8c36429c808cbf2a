"""What is often said of graphs, checkpoints, frozen models and TensorFlow Lite, put to the test.

Every claim is split into tests that are run here and now; its verdict follows from their results.
"""

from course_lib.experiments.ledger.claims import VERDICTS, Claim, Ledger, Test
from course_lib.experiments.ledger.files import files
from course_lib.experiments.ledger.formats import formats
from course_lib.experiments.ledger.graphs import graphs

__all__ = ["VERDICTS", "Claim", "Ledger", "Test", "files", "formats", "graphs"]
