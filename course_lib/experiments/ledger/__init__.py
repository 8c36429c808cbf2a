"""What is often said of graphs, checkpoints, frozen models and TensorFlow Lite, put to the test.

Every claim is split into tests that are run here and now; its verdict follows from their results.
Begin reading with `claims`; the two modules beside it hold what is said, and the tests.
"""

from course_lib.experiments.ledger.claims import VERDICTS, Claim, Ledger, Test
from course_lib.experiments.ledger.file_claims import files, formats
from course_lib.experiments.ledger.graph_claims import graphs
