// The part of YAML that rules are written in: maps, lists, scalars, flow style, block text, comments. What it cannot read it refuses with
// the line. It also tells at which line each key stands, so that what the server says of a key can be shown there.

export type Value =
  string | number | boolean | null | Value[] | { [key: string]: Value };
export interface Doc {
  [key: string]: Value;
}

export class YamlFault extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

export interface Read {
  value: Value;
  /** Line by path: "alert.severity" is 7. From 1. */
  lines: Map<string, number>;
}

interface Row {
  line: number;
  indent: number;
  text: string;
}

const KEY = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[\w.-]+)\s*:(?:\s+|$)/;

/** Without a comment that ends the line; a # in quotes or within a word is none. */
function bare(text: string): string {
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? "";
    if (quote) {
      if (c === "\\" && quote === '"') i++;
      else if (c === quote) quote = "";
    } else if (c === '"' || c === "'") {
      // An apostrophe within a word opens nothing.
      if (i === 0 || /[\s[{,:(=!<>&|]/.test(text[i - 1] ?? "")) quote = c;
    } else if (c === "#" && (i === 0 || /\s/.test(text[i - 1] ?? ""))) {
      return text.slice(0, i).trimEnd();
    }
  }
  return text.trimEnd();
}

function scalar(text: string, line: number): Value {
  if (text === "" || text === "~" || text === "null") return null;
  if (text === "true") return true;
  if (text === "false") return false;
  if (text.startsWith('"')) {
    try {
      return JSON.parse(text) as string;
    } catch {
      throw new YamlFault(line, "quote");
    }
  }
  if (text.startsWith("'")) {
    if (!/^'(?:[^']|'')*'$/.test(text)) throw new YamlFault(line, "quote");
    return text.slice(1, -1).replaceAll("''", "'");
  }
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text)
    ? Number(text)
    : text;
}

/** A key as it is written, without its quotes. */
function keyOf(text: string, line: number): string {
  const value = scalar(text, line);
  return typeof value === "string" ? value : text;
}

/** "{a: 1, b: [x, y]}" from a place on. */
class Flow {
  #text: string;
  #line: number;
  #at = 0;

  constructor(text: string, line: number) {
    this.#text = text;
    this.#line = line;
  }

  whole(): Value {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) this.#fail();
    return value;
  }

  #fail(): never {
    throw new YamlFault(this.#line, "flow");
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
  }

  /** The next sign that is no space. */
  #next(): string | undefined {
    this.#space();
    return this.#text[this.#at];
  }

  #word(stop: RegExp): string {
    const from = this.#at;
    const quote = this.#text[from];
    if (quote === '"' || quote === "'") {
      this.#at++;
      while (this.#at < this.#text.length && this.#text[this.#at] !== quote)
        this.#at += this.#text[this.#at] === "\\" && quote === '"' ? 2 : 1;
      this.#at++;
    } else {
      while (
        this.#at < this.#text.length &&
        !stop.test(this.#text[this.#at] ?? "")
      )
        this.#at++;
    }
    return this.#text.slice(from, this.#at).trim();
  }

  #value(): Value {
    this.#space();
    if (this.#text[this.#at] === "[") {
      this.#at++;
      const list: Value[] = [];
      while (this.#next() !== "]") {
        list.push(this.#value());
        this.#space();
        if (this.#text[this.#at] === ",") this.#at++;
        else if (this.#text[this.#at] !== "]") this.#fail();
      }
      this.#at++;
      return list;
    }
    if (this.#text[this.#at] === "{") {
      this.#at++;
      const doc: Doc = {};
      while (this.#next() !== "}") {
        const key = keyOf(this.#word(/[:,}]/), this.#line);
        this.#space();
        if (this.#text[this.#at] !== ":") this.#fail();
        this.#at++;
        doc[key] = this.#value();
        this.#space();
        if (this.#text[this.#at] === ",") this.#at++;
        else if (this.#text[this.#at] !== "}") this.#fail();
      }
      this.#at++;
      return doc;
    }
    if (this.#at >= this.#text.length) this.#fail();
    return scalar(this.#word(/[,\]}]/), this.#line);
  }
}

class Reader {
  #source: string[];
  #rows: Row[] = [];
  #at = 0;
  readonly lines = new Map<string, number>();

  constructor(text: string) {
    this.#source = text.split("\n");
    this.#source.forEach((raw, i) => {
      if (/^\s*\t/.test(raw)) throw new YamlFault(i + 1, "tab");
      const trimmed = raw.trim();
      if (trimmed === "" || trimmed.startsWith("#") || trimmed === "---")
        return;
      this.#rows.push({
        line: i + 1,
        indent: raw.length - raw.trimStart().length,
        text: trimmed,
      });
    });
  }

  whole(): Value {
    const first = this.#rows[0];
    if (!first) return null;
    const value = this.#block(first.indent, "");
    const rest = this.#rows[this.#at];
    if (rest) throw new YamlFault(rest.line, "indent");
    return value;
  }

  #block(indent: number, path: string): Value {
    const row = this.#rows[this.#at];
    if (!row || row.indent < indent) return null;
    if (row.text === "-" || row.text.startsWith("- "))
      return this.#list(row.indent, path);
    if (KEY.test(row.text)) return this.#map(row.indent, path);
    this.#at++;
    return this.#inline(bare(row.text), row.line);
  }

  #map(indent: number, path: string): Doc {
    const doc: Doc = {};
    for (let row; (row = this.#rows[this.#at]);) {
      if (row.indent < indent) break;
      const found = KEY.exec(row.text);
      if (row.indent > indent || !found)
        throw new YamlFault(row.line, "indent");
      const key = keyOf(found[1] ?? "", row.line);
      if (Object.hasOwn(doc, key)) throw new YamlFault(row.line, "twice");
      const at = path === "" ? key : `${path}.${key}`;
      this.lines.set(at, row.line);
      this.#at++;
      doc[key] = this.#after(bare(row.text.slice(found[0].length)), row, at);
    }
    return doc;
  }

  #list(indent: number, path: string): Value[] {
    const list: Value[] = [];
    for (let row; (row = this.#rows[this.#at]);) {
      if (row.indent !== indent || !/^-(\s|$)/.test(row.text)) break;
      const at = `${path}[${list.length}]`;
      this.lines.set(at, row.line);
      const rest = row.text.slice(1).trimStart();
      if (KEY.test(rest)) {
        // The map begins on the line of its dash.
        const inner = row.indent + row.text.length - rest.length;
        this.#rows[this.#at] = { ...row, indent: inner, text: rest };
        list.push(this.#map(inner, at));
      } else {
        this.#at++;
        list.push(this.#after(bare(rest), row, at));
      }
    }
    return list;
  }

  /** What follows a key or a dash: on its line, or in the lines below that stand further in. */
  #after(text: string, row: Row, path: string): Value {
    if (/^[|>][+-]?$/.test(text)) return this.#text(row, text);
    if (text !== "") return this.#inline(text, row.line);
    const next = this.#rows[this.#at];
    const deeper = next && next.indent > row.indent;
    const dash =
      next && next.indent === row.indent && /^-(\s|$)/.test(next.text);
    return deeper || dash ? this.#block(next.indent, path) : null;
  }

  #inline(text: string, line: number): Value {
    if (!/^[[{]/.test(text)) return scalar(text, line);
    // A flow may go on over several lines.
    let whole = text;
    for (;;) {
      try {
        return new Flow(whole, line).whole();
      } catch (fault) {
        const next = this.#rows[this.#at];
        if (!next) throw fault;
        this.#at++;
        whole += ` ${bare(next.text)}`;
      }
    }
  }

  #text(row: Row, style: string): string {
    const lines: string[] = [];
    let inner = -1;
    let i = row.line;
    for (; i < this.#source.length; i++) {
      const raw = this.#source[i] ?? "";
      const indent = raw.length - raw.trimStart().length;
      if (raw.trim() !== "") {
        if (indent <= row.indent) break;
        if (inner < 0) inner = indent;
      }
      lines.push(raw.slice(Math.min(indent, Math.max(inner, 0))));
    }
    while (this.#rows[this.#at] && (this.#rows[this.#at]?.line ?? 0) <= i)
      this.#at++;
    while (lines.at(-1)?.trim() === "") lines.pop();
    const end = style.endsWith("-") ? "" : "\n";
    return lines.join(style.startsWith(">") ? " " : "\n") + end;
  }
}

/** Throws a YamlFault with the line. */
export function readYaml(text: string): Read {
  const reader = new Reader(text);
  const value = reader.whole();
  return { value, lines: reader.lines };
}

const PLAIN = /^[A-Za-z_][\w ./()>=<&|!"'*+-]*$/;
const SPAN = /^(?:\d+(?:ms|[smh]))+$/;
const WORDS = /^(?:true|false|null|~|yes|no)$/i;

function written(value: string): string {
  if (SPAN.test(value)) return value;
  const plain =
    PLAIN.test(value) &&
    !WORDS.test(value) &&
    !/\s$|: |\s#|:$/.test(value) &&
    !/^["']/.test(value);
  return plain ? value : JSON.stringify(value);
}

const isDoc = (value: Value): value is Doc =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function inline(value: Value): string {
  if (typeof value === "string") return written(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (isDoc(value))
    return `{${Object.entries(value)
      .map(([k, v]) => `${k}: ${inline(v)}`)
      .join(", ")}}`;
  return String(value);
}

/** The other way: keys in their order, a map of its own lines, lists in brackets. */
export function writeYaml(doc: Doc, indent = ""): string {
  return Object.entries(doc)
    .map(([key, value]) =>
      isDoc(value) && Object.keys(value).length > 0
        ? `${indent}${key}:\n${writeYaml(value, `${indent}  `)}`
        : `${indent}${key}: ${inline(value)}\n`,
    )
    .join("");
}
