/** About how long a value is as JSON, without making it: its texts are counted, not looked into. */
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
