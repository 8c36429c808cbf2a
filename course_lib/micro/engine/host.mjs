// Run the engine on a file of clips: node host.mjs ENGINE IMAGE KIND CLIPS ANSWERS
// KIND is "sound" (int16, 16,000 a clip; the features, float32, follow each answer) or "input".

import fs from "node:fs";

const [engineFile, imageFile, kind, clipsFile, answersFile] = process.argv.slice(2);
const { instance: { exports: engine } } = await WebAssembly.instantiate(fs.readFileSync(engineFile));
const image = new Uint8Array(fs.readFileSync(imageFile));
const head = new DataView(image.buffer);
const end = engine.place() + head.getInt32(0, true) + head.getInt32(4, true);
const lacking = end - engine.memory.buffer.byteLength;
if (lacking > 0) engine.memory.grow(Math.ceil(lacking / 65536));
new Uint8Array(engine.memory.buffer, engine.place(), image.length).set(image);
engine.begin();
const memory = new Uint8Array(engine.memory.buffer);
const sound = kind === "sound";
const size = sound ? 32000 : engine.input_bytes();
const from = sound ? engine.sound() : engine.input();
const clips = new Uint8Array(fs.readFileSync(clipsFile));
const answers = [];
for (let at = 0; at < clips.length; at += size) {
  memory.set(clips.subarray(at, at + size), from);
  if (sound) engine.hear(); else engine.run();
  answers.push(memory.slice(engine.output(), engine.output() + engine.output_bytes()));
  if (sound) answers.push(memory.slice(engine.features(), engine.features() + 4 * 1960));
}
fs.writeFileSync(answersFile, Buffer.concat(answers));
