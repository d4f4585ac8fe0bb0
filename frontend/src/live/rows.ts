// Things and cells never stand on a screen together: the first message of the other sort carries the whole view and replaces the first.
import { isSnapshot, readMessage, rowsOf, type Message } from "../wire/binary";
import type { CellSink, ThingSink } from "../wire/sinks";

export class Rows {
  #things: ThingSink;
  #cells: CellSink;
  #shown: "things" | "cells" | "" = "";

  constructor(things: ThingSink, cells: CellSink) {
    this.#things = things;
    this.#cells = cells;
  }

  /** Reads a message into the sinks; null where it was rows and nothing else. Throws where the bytes are no message. */
  read(bytes: Uint8Array): Message | null {
    const rows = rowsOf(bytes);
    if (isSnapshot(bytes)) {
      this.#shown = rows;
    } else if (rows !== "" && rows !== this.#shown) {
      this.#shown = rows;
      this.#things.reset();
      this.#cells.reset();
      if (rows === "things") this.#cells.done();
      else this.#things.done();
    }
    return readMessage(bytes, this.#things, this.#cells);
  }
}
