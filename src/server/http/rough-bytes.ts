/** Estimates a value's length as JSON without serializing it: the lengths of its texts are summed. */
export function roughBytes(value: unknown): number {
  switch (typeof value) {
    case "string":
      return value.length + 2;
    case "object": {
      if (value === null) return 4;
      let bytes = 2;
      for (const [key, field] of Object.entries(value)) {
        bytes += (Array.isArray(value) ? 1 : key.length + 4) + roughBytes(field);
      }
      return bytes;
    }
    default:
      return 8;
  }
}
