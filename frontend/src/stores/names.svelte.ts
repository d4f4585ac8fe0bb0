// Names of those who sit at desks, by subject.

class Names {
  #by = $state.raw<ReadonlyMap<string, string>>(new Map());

  of(subject: string): string | undefined {
    return this.#by.get(subject);
  }

  learn(people: readonly { subject: string; name: string }[]): void {
    const fresh = people.filter(
      (p) => p.name !== "" && this.#by.get(p.subject) !== p.name,
    );
    if (fresh.length === 0) return;
    this.#by = new Map([
      ...this.#by,
      ...fresh.map((p): [string, string] => [p.subject, p.name]),
    ]);
  }
}

export const names = new Names();
