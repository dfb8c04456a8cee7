/** Finite numbers in descending order, with where each came from. */
export interface DescendingValues {
  readonly values: Float64Array;
  /** The index that each value had; of equal ones the lower first. */
  readonly rows: Uint32Array;
}

/** Below it a sort with a comparator takes less time than the passes over empty digits. */
const fewest = 256;

/**
 * Sorts finite numbers and their rows, -0 as 0.
 *
 * By digits of the doubles' bits, which takes half the time of `Float64Array.prototype.sort` of a million values and a tenth
 * of that of a comparator. 24 bytes of memory a value.
 */
export function sortDescending(values: Float64Array): DescendingValues {
  return values.length < fewest ? byComparison(values) : byDigits(values);
}

function byComparison(values: Float64Array): DescendingValues {
  const rows = rowNumbers(values.length).sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0));
  return { values: Float64Array.from(rows, (row) => (values[row] ?? 0) + 0), rows };
}

interface Keys {
  /** Two words a value: an integer of 64 bits that is the less, the greater the value is. */
  readonly words: Uint32Array;
  readonly rows: Uint32Array;
}

/** Where the word with the sign lies: after the other one on all usual machines. */
const high = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0;
const low = 1 - high;
const negativeZero = 0x80000000;

function byDigits(values: Float64Array): DescendingValues {
  const n = values.length;
  // Wide digits need fewer passes, narrow ones less time for those that do not occur.
  const bits = n < 4096 ? 8 : 11;
  let from: Keys = { words: descendingKeys(values), rows: rowNumbers(n) };
  let to: Keys = { words: new Uint32Array(2 * n), rows: new Uint32Array(n) };
  const sortBy = (word: number) => {
    for (const { shift, starts } of digitsOf(from.words, word, bits)) {
      distribute(from, to, { word, shift, starts });
      [from, to] = [to, from];
    }
  };
  // The upper word holds six decimal digits: mostly it leaves few keys to be put in order, and the lower one need not be
  // gone through.
  sortBy(high);
  if (!settle(from)) {
    sortBy(low);
    sortBy(high);
  }
  return { values: valuesOf(from.words), rows: from.rows };
}

/** Sorts keys that are in the order of their upper words; gives up, with false, after as many moves as there are keys. */
function settle({ words, rows }: Keys): boolean {
  let left = rows.length;
  for (let i = 1; i < rows.length; i++) {
    const top = words[2 * i + high] ?? 0;
    if (top !== words[2 * i - 2 + high]) continue;
    const rest = words[2 * i + low] ?? 0;
    const row = rows[i] ?? 0;
    let at = i;
    for (; at > 0 && words[2 * at - 2 + high] === top && (words[2 * at - 2 + low] ?? 0) > rest; at--) {
      words[2 * at + low] = words[2 * at - 2 + low] ?? 0;
      rows[at] = rows[at - 1] ?? 0;
      left--;
    }
    words[2 * at + low] = rest;
    rows[at] = row;
    if (left < 0) return false;
  }
  return true;
}

function rowNumbers(n: number): Uint32Array {
  const rows = new Uint32Array(n);
  for (let row = 0; row < n; row++) rows[row] = row;
  return rows;
}

/** A double's bits ascend with it where its sign is 0 and descend where it is 1. */
function descendingKeys(values: Float64Array): Uint32Array {
  const words = new Uint32Array(values.slice().buffer);
  for (let i = 0; i < words.length; i += 2) {
    const top = words[i + high] ?? 0;
    const rest = words[i + low] ?? 0;
    // Of the negative ones -0 alone has to change.
    if (top >>> 31 === 1 && (top !== negativeZero || rest !== 0)) continue;
    words[i + high] = ~top & 0x7fffffff;
    words[i + low] = ~rest;
  }
  return words;
}

function valuesOf(words: Uint32Array): Float64Array {
  for (let i = 0; i < words.length; i += 2) {
    const top = words[i + high] ?? 0;
    if (top >>> 31 === 1) continue;
    words[i + high] = ~top & 0x7fffffff;
    words[i + low] = ~(words[i + low] ?? 0);
  }
  return new Float64Array(words.buffer);
}

interface Digit {
  readonly shift: number;
  /** Where the keys of each value of the digit begin in their order. */
  readonly starts: Uint32Array;
}

/** The digits of a word that are not the same in all keys, the lowest first. */
function digitsOf(words: Uint32Array, word: number, bits: number): readonly Digit[] {
  const size = 2 ** bits;
  const mask = size - 1;
  const counts = new Uint32Array(size * Math.ceil(32 / bits));
  for (let i = word; i < words.length; i += 2) {
    let key = words[i] ?? 0;
    for (let at = 0; at < counts.length; at += size) {
      const digit = at + (key & mask);
      counts[digit] = (counts[digit] ?? 0) + 1;
      key >>>= bits;
    }
  }
  const digits: Digit[] = [];
  for (let shift = 0; shift < 32; shift += bits) {
    const starts = counts.subarray((shift / bits) * size, (shift / bits + 1) * size);
    if (starts[((words[word] ?? 0) >>> shift) & mask] === words.length / 2) continue;
    let before = 0;
    for (let digit = 0; digit < size; digit++) {
      const count = starts[digit] ?? 0;
      starts[digit] = before;
      before += count;
    }
    digits.push({ shift, starts });
  }
  return digits;
}

/** Moves all keys to where their digit has its place, those of one digit in the order in which they were. */
function distribute(from: Keys, to: Keys, { shift, starts, word }: Digit & { readonly word: number }): void {
  const mask = starts.length - 1;
  const { words, rows } = from;
  for (let i = 0; i < rows.length; i++) {
    const first = words[2 * i] ?? 0;
    const second = words[2 * i + 1] ?? 0;
    const digit = ((word === 0 ? first : second) >>> shift) & mask;
    const at = starts[digit] ?? 0;
    starts[digit] = at + 1;
    to.words[2 * at] = first;
    to.words[2 * at + 1] = second;
    to.rows[at] = rows[i] ?? 0;
  }
}
