/** Which values of the environment are secrets: by the names of the variables, and by what is in them. */

type Environment = Readonly<Record<string, string | undefined>>;

/** Names whose values are not to be repeated on a screen or in a log. */
const secretName = /KEY|SECRET|PASSWORD|PASSWD|PASSPHRASE|TOKEN|CREDENTIAL|_(?:PASS|PWD|AUTH)$/i;
/**
 * In addresses, however many there are; up to the first @ and up to the last, since whoever did not
 * encode a password may have one in it.
 */
const password = /:\/\/[^:@/]*:(?=(?<longest>.*)@)(?<shortest>[^@]+)@/gs;
/** A name without a password is one that the other end gave: Sentry's, GitHub's. */
const tokenAsUser = /\bhttps?:\/\/([^\s:@/]+)@/gi;
/** Parameters of an address (`?password=…`) or a connection string (`Password=…;`). */
const parameter = /(?:password|passwd|pwd|token|secret|api[-_]?key)=([^\s&;,"']+)/gi;
/** Each of a list of headers, without the name of its scheme: `authorization=Bearer%20…,x-key=…`. */
const headers = /=(?:(?:bearer|basic)(?:\s|%20|\+)+)?([^,]+)/gi;

/** Whether the variable's value is not to be shown. */
export function isSecret(name: string, value: string): boolean {
  return secretsOf(name, value).length > 0;
}

/** What a log must not contain: the values of every secret, settings or not, and passwords in addresses. */
export function secretsIn(environment: Environment): string[] {
  return Object.entries(environment).flatMap(([name, value = ""]) => secretsOf(name, value));
}

function secretsOf(name: string, value: string): string[] {
  const passwords = [...value.matchAll(password)].flatMap(({ groups = {} }) => {
    const { shortest = "", longest = "" } = groups;
    return shortest === longest ? [shortest] : [shortest, longest];
  });
  const patterns = [tokenAsUser, parameter, ...(/_HEADERS$/i.test(name) ? [headers] : [])];
  const others = patterns.flatMap((pattern) =>
    [...value.matchAll(pattern)].map(([, found = ""]) => found),
  );
  return [...(secretName.test(name) ? [value] : []), ...passwords, ...others];
}
