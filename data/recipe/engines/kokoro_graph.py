"""Give Kokoro's graph an input for extra frames and an output for the frames of each phoneme."""

from __future__ import annotations

__all__ = ["EXTRA_FRAMES", "FRAMES", "with_extra_frames"]

EXTRA_FRAMES = "extra_frames"
FRAMES = "/encoder/Clip_output_0"
_ROUNDED = "/encoder/Round_output_0"


def with_extra_frames(model_bytes: bytes) -> bytes:
    """Return the ONNX model with the input `extra_frames` and the output `FRAMES`, (1, tokens).

    Kokoro predicts how many frames of 25 ms each phoneme lasts, rounds that, and clips it to one
    or more. The new input is added in between: positive values stretch a vowel, negative ones
    shorten a pause. The new output is what the clipping gave: it tells where a word begins.
    Raises ValueError where the graph has no such rounding and clipping.
    """
    import onnx

    model = onnx.load_from_string(model_bytes)
    graph = model.graph
    rounding = [at for at, node in enumerate(graph.node) if _ROUNDED in node.output]
    clipped = any(FRAMES in node.output for node in graph.node)
    if len(rounding) != 1 or not clipped:
        raise ValueError("This is no Kokoro graph: it does not round and clip its durations.")
    lengthened = f"{_ROUNDED}_lengthened"
    for node in graph.node:
        for at, name in enumerate(node.input):
            if name == _ROUNDED:
                node.input[at] = lengthened
    addition = onnx.helper.make_node("Add", [_ROUNDED, EXTRA_FRAMES], [lengthened], "lengthen")
    graph.node.insert(rounding[0] + 1, addition)
    graph.input.append(
        onnx.helper.make_tensor_value_info(EXTRA_FRAMES, onnx.TensorProto.FLOAT, [1, None])
    )
    graph.output.append(
        onnx.helper.make_tensor_value_info(FRAMES, onnx.TensorProto.FLOAT, [1, None])
    )
    return model.SerializeToString()
