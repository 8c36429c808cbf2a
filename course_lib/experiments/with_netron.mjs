// Let Netron, the model viewer, read files in Node: no browser, no picture, no network.
//
//   node with_netron.mjs NETRON_FOLDER FILE...
//
// Prints one line of JSON: for each file, how many nodes Netron found that are joined to another.
// A file of weights has nodes, too, one for each layer's tensors; no line joins them.
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, ...files] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(path.join(folder, name)));
const { ModelFactoryService } = await load('view.js');
const { BinaryStream } = await load('base.js');

// The few things that Netron asks of the program that it runs in.
const host = {
    environment: () => null,
    require: (name) => load(`${name}.js`),
    event: () => {},
    exception: () => {},
};

const stream = async (file) => new BinaryStream(new Uint8Array(await fs.readFile(file)));

class Context {
    constructor(file, content) {
        this.folder = path.dirname(file);
        this.identifier = path.basename(file);
        this.stream = content;
        this.entries = new Map();
    }

    fetch(name) {
        return stream(path.join(this.folder, name));
    }

    asset(name) {
        return fs.readFile(path.join(folder, name), 'utf-8');
    }

    require(name) {
        return host.require(name);
    }

    error() {}
}

// The number of nodes of a graph that take what another node makes, or make what another takes.
function joined(graph) {
    const values = (parts) => parts.flatMap((part) => part.value || []).map((value) => value.name);
    const makers = new Map();
    for (const node of graph.nodes) {
        values(node.outputs).forEach((name) => makers.set(name, node));
    }
    const found = new Set();
    for (const node of graph.nodes) {
        for (const maker of values(node.inputs).map((name) => makers.get(name))) {
            if (maker) {
                found.add(node).add(maker);
            }
        }
    }
    return found.size;
}

async function read(file) {
    try {
        const context = new Context(file, await stream(file));
        const model = await new ModelFactoryService(host).open(context);
        const graphs = model.modules || model.graphs || [];
        const sum = (total, graph) => total + joined(graph);
        return { format: model.format, joined: graphs.reduce(sum, 0) };
    } catch (error) {
        return { format: '', joined: 0, said: `${error.name}: ${error.message}` };
    }
}

const found = {};
for (const file of files) {
    found[file] = await read(file);
}
console.log(JSON.stringify(found));
