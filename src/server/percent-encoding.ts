/** Percent-encoding as people write it: a `%` that encodes nothing stands for itself. */

/** One character of UTF-8 that is encoded, or what looks like one; or a `%` alone. */
const encoded =
  /%[0-7][\da-f]|%[cd][\da-f]%[89ab][\da-f]|%e[\da-f](?:%[89ab][\da-f]){2}|%f[0-7](?:%[89ab][\da-f]){3}|%/gi;

/** `decodeURIComponent` that takes everything. */
export function decodeLeniently(text: string): string {
  return text.replaceAll(encoded, (found) => decodedOr(found, found));
}

/** Makes a text that every decoder takes of one that `decodeLeniently` takes, with the same meaning. */
export function encodeStraySigns(text: string): string {
  return text.replaceAll(encoded, (found) =>
    decodedOr(found, undefined) === undefined ? found.replaceAll("%", "%25") : found,
  );
}

function decodedOr<T>(text: string, otherwise: T): string | T {
  try {
    return decodeURIComponent(text);
  } catch {
    return otherwise;
  }
}
