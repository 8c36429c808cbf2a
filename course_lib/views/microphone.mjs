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

// Count down, record, and show how loud it is, all inside `el`; resolve to the samples.
async function listen(el, seconds, countIn) {
  const status = document.createElement("span");
  const meter = document.createElement("meter");
  status.setAttribute("role", "status");
  meter.setAttribute("aria-label", "how loud it is");
  meter.style.cssText = "width: 160px; margin: 0 1em; vertical-align: middle";
  el.replaceChildren(meter, status);
  try {
    for (let left = countIn; left > 0; left--) {
      status.textContent = `${left} …`;
      await new Promise((resolve) => setTimeout(resolve, 600));
    }
    status.textContent = "speak now";
    return await record(seconds, (done, loud) => {
      meter.value = Math.min(1, 2 * loud);
      status.textContent = `speak now: ${Math.round(100 * done)} %`;
    });
  } finally {
    el.replaceChildren();
  }
}

function render({ model, el }) {
  const button = document.createElement("button");
  const place = document.createElement("span");
  button.className = "jupyter-button workbook-record";
  button.textContent = model.get("label");
  model.on("change:label", () => { button.textContent = model.get("label"); });
  el.append(button, place);
  button.addEventListener("click", async () => {
    button.disabled = true;
    let problem = "";
    try {
      const samples = await listen(place, model.get("seconds"), model.get("count_in"));
      model.set("samples", new DataView(samples.buffer));
    } catch (error) {
      problem = error.name || "Error";
    }
    button.disabled = false;
    model.set("problem", problem);
    model.set("count", model.get("count") + 1);
    model.save_changes();
  });
}

export default { render };
