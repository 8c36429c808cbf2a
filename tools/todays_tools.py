"""Record what today's tools make of the spotter: the files in data/tools, with date and versions.

    python -m tools.todays_tools

It needs the extra `tools` (`pip install -e ".[tools]"`), and takes a few minutes.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import quantize, session, spotter, tflite
from course_lib.experiments import todays_tools
from course_lib.formats import checkpoint
from course_lib.sound import dataset, features

__all__ = ["main", "record", "torch_spotter"]

_TOOLS = ("litert-quantizer", "ai-edge-model-explorer", "litert-torch", "torch")
_EPSILON = 1e-3  # Keras's own; PyTorch would take 1e-5


def main(arguments: list[str] | None = None) -> int:
    """Record; print where it was written."""
    parser = argparse.ArgumentParser(prog="python -m tools.todays_tools", description=__doc__)
    parser.add_argument("--folder", type=Path, help="another folder than data/tools")
    options = parser.parse_args(arguments)
    installed = {each.name.lower() for each in metadata.distributions() if each.name}
    if missing := [name for name in _TOOLS if name not in installed]:
        parser.error(f"{', '.join(missing)} not installed here: pip install -e '.[tools]'")
    print(f"Recorded in {record(options.folder or session.data_path('tools'))}.")
    return 0


def record(folder: Path) -> Path:
    """Make every file and write it, and what was found, into `folder`."""
    clips = features.of(dataset.bundled("train"))
    files = {name: todays_tools.quantized(name, clips) for name in todays_tools.RECIPES}
    files["from_torch"], turned, apart = _from_torch(clips)
    for name, data in files.items():
        session.write_atomically(folder / f"{name}.tflite", data)
    found = {
        "date": datetime.date.today().isoformat(),
        "tools": [f"{name} {metadata.version(name)}" for name in _TOOLS],
        "model": todays_tools.digest(tflite.load(todays_tools.SOURCE)),
        "files": {name: todays_tools.digest(data) for name, data in files.items()},
        "torch": {
            "clips": len(_heard(clips)),
            "largest_difference": apart,
            "channels_last": list(todays_tools.operations(turned)),
        },
        "explorer": _explored(folder),
    }
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    session.write_atomically(folder / "todays_tools.json", text)
    return folder


def torch_spotter() -> Any:
    """Return the spotter as a PyTorch module, channels first, with the weights of the checkpoint.

    (n, 1, 49, 40) to probabilities (n, 4). The architecture is that of `spotter.build`.
    """
    import torch
    from torch import nn

    weights = checkpoint.contents(spotter.checkpoint_folder())

    def tensor(name: str, *order: int) -> Any:
        values = weights[name]
        return torch.from_numpy(np.ascontiguousarray(values.transpose(order) if order else values))

    class Layer(nn.Module):
        """A convolution, its norm, perhaps a ReLU; `padding` is left, right, top, bottom."""

        def __init__(self, name: str, stride=1, padding=(0, 0, 0, 0), relu: bool = True) -> None:
            super().__init__()
            kernel = tensor(f"{name}/kernel", 3, 2, 0, 1)  # from (h, w, in, out)
            self.pad = nn.ZeroPad2d(padding) if any(padding) else nn.Identity()
            shape = kernel.shape[1], kernel.shape[0], tuple(kernel.shape[2:])
            self.convolution = nn.Conv2d(*shape, stride=stride, bias=False)
            self.norm = nn.BatchNorm2d(kernel.shape[0], eps=_EPSILON)
            self.end = nn.ReLU() if relu else nn.Identity()
            self.convolution.weight.data = kernel
            self.norm.weight.data = tensor(f"{name}_norm/gamma")
            self.norm.bias.data = tensor(f"{name}_norm/beta")
            self.norm.running_mean = tensor(f"{name}_norm/moving_mean")
            self.norm.running_var = tensor(f"{name}_norm/moving_variance")

        def forward(self, x: Any) -> Any:
            return self.end(self.norm(self.convolution(self.pad(x))))

    class Spotter(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.begin = nn.Sequential(
                Layer("listen", 2, (1, 2, 2, 2)),  # Keras's "same" puts the odd column right
                Layer("combine", (1, 2), (0, 1, 1, 1)),
                Layer("merge"),
            )
            names = [name for name in spotter.facts().kernels if name.startswith("follow_")]
            self.follow = nn.ModuleList(Layer(name, 1, (0, 0, 1, 1), False) for name in names)
            self.decide = nn.Linear(*weights["decide/kernel"].shape)
            self.decide.weight.data = tensor("decide/kernel", 1, 0)
            self.decide.bias.data = tensor("decide/bias")

        def forward(self, x: Any) -> Any:
            x = self.begin(x)
            for layer in self.follow:
                x = torch.relu(x + layer(x))
            return torch.softmax(self.decide(x.mean(dim=(2, 3))), dim=1)

    return Spotter().eval()


def _heard(clips: np.ndarray) -> np.ndarray:
    """Return the clips on which PyTorch and the shipped file are compared."""
    return clips[::20]


def _from_torch(clips: np.ndarray) -> tuple[bytes, bytes, float]:
    """Convert the module, as it is and with channels last; raise where it answers otherwise."""
    import litert_torch
    import torch

    model, rows = torch_spotter(), _heard(clips).astype(np.float32)
    with torch.no_grad():
        theirs = model(torch.from_numpy(rows[:, np.newaxis])).numpy()
    files = []
    for module, shape in (
        (model, (1, 1, 49, 40)),
        (litert_torch.to_channel_last_io(model, args=[0]), (1, 49, 40, 1)),
    ):
        made = litert_torch.convert(module.eval(), (torch.zeros(shape),))
        files.append(bytes(made.model_content()))
    answers = [tflite.run(data, rows) for data in (tflite.load(todays_tools.SOURCE), *files)]
    apart = max(float(np.abs(theirs - each).max()) for each in answers)
    if apart > 1e-4:
        raise RuntimeError(f"PyTorch's spotter answers otherwise, by up to {apart:.2g}.")
    return *files, apart


def _explored(folder: Path) -> dict[str, Any]:
    """Open a file as Model Explorer does: how many names our node data has, how many it finds."""
    from model_explorer.builtin_tflite_flatbuffer_adapter import BuiltinTfliteFlatbufferAdapter
    from model_explorer.node_data_builder import GraphNodeData

    path = folder / "int8_mixed.tflite"
    opened = BuiltinTfliteFlatbufferAdapter().convert(str(path), {})
    graph = json.loads(json.dumps(opened, default=vars))["graphCollections"][0]["graphs"][0]
    shown = {
        attribute["value"]
        for node in graph["nodes"]
        for output in node["outputsMetadata"]
        for attribute in output["attrs"]
        if attribute["key"] == "tensor_name"
    }
    plan = quantize.read(path.read_bytes())
    labels = {plan.label(operation): 0.0 for operation in plan.operations}
    ours = json.loads(todays_tools.node_data(path.read_bytes(), labels, "ours"))
    names = GraphNodeData(**ours).results  # raises TypeError for a field that it does not know
    return {"graph": graph["id"], "names": len(names), "found": len(shown & names.keys())}


if __name__ == "__main__":
    sys.exit(main())
