"""What a file of weights holds, as plain data: groups of tensors, and the table that is shown."""

from __future__ import annotations

import pytest

from course_lib.formats import checkpoint
from course_lib.formats.checkpoint.tensors import group_of


@pytest.mark.parametrize("key, name, dtype, group", [
    ("model/a/.ATTRIBUTES/VARIABLE_VALUE", "a/kernel", "float32", "weights"),
    ("optimizer/_variables/1/.ATTRIBUTES/VARIABLE_VALUE", "adam/a_kernel_velocity", "float32",
     "optimizer: velocity"),
    ("a/kernel/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE", "x", "float32",
     "optimizer: momentum"),
    ("dense/kernel/Adam_1", "dense/kernel/Adam_1", "float32", "optimizer: velocity"),
    ("beta1_power", "beta1_power", "float32", "bookkeeping"),
    ("save_counter/.ATTRIBUTES/VARIABLE_VALUE", "save_counter", "int64", "bookkeeping"),
    ("_CHECKPOINTABLE_OBJECT_GRAPH", "", "string", "object graph"),
    ("table", "table", "int8", "other"),
])  # fmt: skip
def test_groups(key, name, dtype, group):
    assert group_of(key, name, dtype) == group


def test_table_of_contents_is_escaped_and_short(saved):
    page = checkpoint.contents(saved)._repr_html_(most=3)
    assert "hear" in page or "and" in page
    assert page.count("<tr>") <= 8
    assert "reader" not in repr(checkpoint.contents(saved))
