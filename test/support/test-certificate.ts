/** A certificate of nobody's, for servers of tests: valid for localhost and 127.0.0.1, until 2126. */
import { getCACertificates, setDefaultCACertificates } from "node:tls";

export const testCertificate = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgJlWz/RWSPC7a3F6f
jftuxwwnBpP9d78LUS/YXFrhOw6hRANCAAQHyUqUlh8wNgLihoQu5qD+M0jeSmjt
fkbag94QNamuFZNWvn285q3GH0BRjmFb5prCmlsxFUELguUXXYVjtyWV
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUYCn1Up1DDAbhVwdX7OtjhX98bzUwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODIzNTY0MFoYDzIxMjYxMTA0
MjM1NjQwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQHyUqUlh8wNgLihoQu5qD+M0jeSmjtfkbag94QNamuFZNWvn285q3G
H0BRjmFb5prCmlsxFUELguUXXYVjtyWVo28wbTAdBgNVHQ4EFgQUkxbtZ+B3rEqV
QbPNHFxPeZ4zLT4wHwYDVR0jBBgwFoAUkxbtZ+B3rEqVQbPNHFxPeZ4zLT4wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgJCMYnvIba0PcuiXxqGzjQetDAv9FR2kbZmXd1BIBDxsCIEI2
LwGje+Npm0hIBhKl/6LwFvI5MSWSAWiImiTqFceB
-----END CERTIFICATE-----`,
};

/** From now on clients of this process trust it. */
export function trustTestCertificate(): void {
  setDefaultCACertificates([...getCACertificates("default"), testCertificate.cert]);
}
