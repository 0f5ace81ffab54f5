/**
 * The few layers that two small networks need, in plain JavaScript: the content security policy lets
 * no WebAssembly run, and old telephones have no other way that is the same everywhere.
 */

/** Height, width and channels; values row by row, channels innermost. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly values: Float32Array;
}

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly quantization?: { readonly scale: number; readonly min: number };
}

export type Manifest = readonly { readonly weights: readonly Entry[] }[];

/** One tensor of weights, filters as [height, width, in, out]. */
export interface Weights {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export class Model {
  readonly #weights = new Map<string, Weights>();

  /** Reads weights as TensorFlow.js writes them, one byte each. */
  constructor(manifest: Manifest, bytes: Uint8Array) {
    let at = 0;
    for (const { name, shape, quantization } of manifest.flatMap((group) => group.weights)) {
      if (!quantization) throw new Error(`${name} is not quantized`);
      const count = shape.reduce((product, size) => product * size, 1);
      const values = Float32Array.from(bytes.subarray(at, at + count), (byte) => byte * quantization.scale + quantization.min);
      this.#weights.set(name, { shape, values });
      at += count;
    }
    if (at !== bytes.length) throw new Error("the weights do not fit their list");
  }

  get(name: string): Weights {
    const found = this.#weights.get(name);
    if (!found) throw new Error(`no weights of that name: ${name}`);
    return found;
  }
}

/** How far a filter of that size reaches over the edges, as TensorFlow pads "same". */
function padding(size: number, filter: number, stride: number): number {
  const out = Math.ceil(size / stride);
  return Math.floor(Math.max(0, (out - 1) * stride + filter - size) / 2);
}

export function convolve(input: Picture, filters: Weights, bias: Weights, stride = 1, same = true): Picture {
  const [high = 1, wide = 1, depth = 1, channels = 1] = filters.shape;
  const top = same ? padding(input.height, high, stride) : 0;
  const left = same ? padding(input.width, wide, stride) : 0;
  const height = same ? Math.ceil(input.height / stride) : Math.floor((input.height - high) / stride) + 1;
  const width = same ? Math.ceil(input.width / stride) : Math.floor((input.width - wide) / stride) + 1;
  const values = new Float32Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const to = (y * width + x) * channels;
      values.set(bias.values, to);
      for (let row = 0; row < high; row++) {
        const fromY = y * stride + row - top;
        if (fromY < 0 || fromY >= input.height) continue;
        for (let column = 0; column < wide; column++) {
          const fromX = x * stride + column - left;
          if (fromX < 0 || fromX >= input.width) continue;
          const from = (fromY * input.width + fromX) * depth;
          const weight = (row * wide + column) * depth * channels;
          add(values, to, channels, input.values, from, depth, filters.values, weight);
        }
      }
    }
  }
  return { height, width, channels, values };
}

/**
 * values[to + o] += the sum over i of input[from + i] * filters[weight + i * channels + o]
 *
 * Four rows at once: most of the time goes into reading and writing the sums.
 */
function add(
  values: Float32Array, to: number, channels: number,
  input: Float32Array, from: number, depth: number, filters: Float32Array, weight: number,
): void {
  let i = 0;
  for (; i + 4 <= depth; i += 4) {
    const a = input[from + i]!;
    const b = input[from + i + 1]!;
    const c = input[from + i + 2]!;
    const d = input[from + i + 3]!;
    let row = weight + i * channels;
    for (let o = to; o < to + channels; o++, row++) {
      values[o] = values[o]! + a * filters[row]! + b * filters[row + channels]! +
        c * filters[row + 2 * channels]! + d * filters[row + 3 * channels]!;
    }
  }
  for (; i < depth; i++) {
    const value = input[from + i]!;
    const row = weight + i * channels - to;
    for (let o = to; o < to + channels; o++) values[o] = values[o]! + value * filters[row + o]!;
  }
}

/** A filter for each channel, then a mixture of the channels. */
export function separable(input: Picture, model: Model, name: string, stride = 1): Picture {
  const apart = depthwise(input, model.get(`${name}/depthwise_filter`), stride);
  return convolve(apart, model.get(`${name}/pointwise_filter`), model.get(`${name}/bias`));
}

function depthwise(input: Picture, filters: Weights, stride: number): Picture {
  const [high = 1, wide = 1] = filters.shape;
  const { channels } = input;
  const top = padding(input.height, high, stride);
  const left = padding(input.width, wide, stride);
  const height = Math.ceil(input.height / stride);
  const width = Math.ceil(input.width / stride);
  const values = new Float32Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const to = (y * width + x) * channels;
      for (let row = 0; row < high; row++) {
        const fromY = y * stride + row - top;
        if (fromY < 0 || fromY >= input.height) continue;
        for (let column = 0; column < wide; column++) {
          const fromX = x * stride + column - left;
          if (fromX < 0 || fromX >= input.width) continue;
          const from = (fromY * input.width + fromX) * channels;
          const weight = (row * wide + column) * channels;
          for (let c = 0; c < channels; c++) values[to + c]! += input.values[from + c]! * filters.values[weight + c]!;
        }
      }
    }
  }
  return { height, width, channels, values };
}

/** The largest of each 2 x 2. */
export function halved(input: Picture, stride = 2): Picture {
  const { channels } = input;
  const height = Math.ceil(input.height / stride);
  const width = Math.ceil(input.width / stride);
  const values = new Float32Array(height * width * channels).fill(-Infinity);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let row = y * stride; row < Math.min(y * stride + 2, input.height); row++) {
        for (let column = x * stride; column < Math.min(x * stride + 2, input.width); column++) {
          const from = (row * input.width + column) * channels;
          const to = (y * width + x) * channels;
          for (let c = 0; c < channels; c++) values[to + c] = Math.max(values[to + c]!, input.values[from + c]!);
        }
      }
    }
  }
  return { height, width, channels, values };
}

/** Below zero only so much of a value is left. */
export function leaky(input: Picture, left: number): Picture {
  const { values } = input;
  for (let i = 0; i < values.length; i++) if (values[i]! < 0) values[i]! *= left;
  return input;
}

export function sum(...pictures: readonly Picture[]): Picture {
  const [first, ...others] = pictures as [Picture, ...Picture[]];
  const values = first.values.slice();
  for (const other of others) for (let i = 0; i < values.length; i++) values[i]! += other.values[i]!;
  return { ...first, values };
}
