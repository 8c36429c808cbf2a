// Record from the microphone at 16 kHz and hand float32 samples to Python; say why where it fails.

const RATE = 16000;
const TAP = `registerProcessor("tap", class extends AudioWorkletProcessor {
  process(inputs) {
    if (inputs[0].length) this.port.postMessage(inputs[0][0].slice());
    return true;
  }
});`;

async function record(seconds, level) {
  const media = navigator.mediaDevices;
  if (!media || !media.getUserMedia) throw new DOMException("", "NotFoundError");
  const stream = await media.getUserMedia({ audio: { channelCount: 1 } });
  const context = new AudioContext({ sampleRate: RATE });
  const address = URL.createObjectURL(new Blob([TAP], { type: "text/javascript" }));
  try {
    await context.audioWorklet.addModule(address);
    const samples = new Float32Array(Math.round(seconds * RATE));
    const node = new AudioWorkletNode(context, "tap");
    let filled = 0;
    const full = new Promise((resolve, reject) => {
      const clock = setTimeout(() => reject(new DOMException("", "TimeoutError")),
        4000 + 2000 * seconds);
      node.port.onmessage = ({ data }) => {
        const part = data.subarray(0, samples.length - filled);
        samples.set(part, filled);
        filled += part.length;
        level(filled / samples.length, Math.max(...part.map(Math.abs)));
        if (filled >= samples.length) { clearTimeout(clock); resolve(); }
      };
    });
    context.createMediaStreamSource(stream).connect(node);
    node.connect(context.destination);
    await context.resume();
    await full;
    return samples;
  } finally {
    URL.revokeObjectURL(address);
    stream.getTracks().forEach((track) => track.stop());
    await context.close();
  }
}

function render({ model, el }) {
  const button = document.createElement("button");
  const status = document.createElement("span");
  button.className = "jupyter-button workbook-record";
  button.textContent = model.get("label");
  status.setAttribute("role", "status");
  status.style.marginLeft = "1em";
  el.append(button, status);
  button.addEventListener("click", async () => {
    button.disabled = true;
    status.textContent = "speak now";
    let problem = "";
    try {
      const samples = await record(model.get("seconds"), (done, loud) => {
        status.textContent = `speak now: ${Math.round(100 * done)} %, ` +
          "▮".repeat(Math.min(10, Math.round(20 * loud)));
      });
      model.set("samples", new DataView(samples.buffer));
    } catch (error) {
      problem = error.name || "Error";
    }
    status.textContent = "";
    button.disabled = false;
    model.set("problem", problem);
    model.set("count", model.get("count") + 1);
    model.save_changes();
  });
}

export default { render };
