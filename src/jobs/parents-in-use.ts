/**
 * Manifests that snapshots being taken share data with. A parent may expire meanwhile; what it holds must stay until the snapshot that shares it is completed and
 * protects it itself. Held in memory: a snapshot of a process that died is read anew.
 */
export class ParentsInUse {
  readonly #counts = new Map<string, number>();

  /** Answers the function that lets go again. */
  hold(manifestKey: string | undefined): () => void {
    if (manifestKey === undefined) return () => undefined;
    this.#counts.set(manifestKey, (this.#counts.get(manifestKey) ?? 0) + 1);
    return () => {
      const left = (this.#counts.get(manifestKey) ?? 1) - 1;
      if (left > 0) this.#counts.set(manifestKey, left);
      else this.#counts.delete(manifestKey);
    };
  }

  keys(): Iterable<string> {
    return this.#counts.keys();
  }
}
