"""The table of variants: a row says all that a converter and a reader need."""

from course_lib.tflite.variants import VARIANTS


def test_the_table_is_sorted_by_nothing_but_its_own_order_and_starts_with_the_default():
    assert list(VARIANTS)[0] == "float32" and all(name == VARIANTS[name].name for name in VARIANTS)


def test_only_integers_need_clips_and_only_they_have_integer_ends():
    assert [name for name, row in VARIANTS.items() if row.needs_clips] == [
        "int16x8", "int8", "int8_per_channel", "int8_float_io",
    ]  # fmt: skip
    assert [name for name, row in VARIANTS.items() if not row.float_ends] == [
        "int8", "int8_per_channel",
    ]  # fmt: skip


def test_every_label_is_its_own():
    assert len({row.label for row in VARIANTS.values()}) == len(VARIANTS)
