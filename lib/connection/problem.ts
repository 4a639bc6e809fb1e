/** What to check, by Node's error code. */
const CURES: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there; is it running, and is the port right?',
  ENOTFOUND: 'its host name is unknown',
  EAI_AGAIN: 'its host name could not be looked up now',
  ENOENT: 'there is no such socket; is it running, and is the path right?',
  EACCES: 'this user may not use that socket',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself; give it as `tls.ca`',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate authority is not known; give it as `tls.ca`',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate authority is not known; give it as `tls.ca`',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate authority is not known; give it as `tls.ca`',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name; that name belongs in `tls.servername`',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on that port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS on that port',
  // With TLS 1.3 the other side sends these alerts after the connection seems to be established.
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it demands a certificate; give yours as `tls.cert` and `tls.key`',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not know the authority that signed your certificate, `tls.cert`',
};

/** What is wrong with a stream, for people, with what to check where that is known. */
export function problemOf(error: Error): string {
  // A host with several addresses fails with an AggregateError, whose own message is empty.
  const first = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  // The message of an OpenSSL error contains line numbers and addresses; its `reason` does not.
  const { code, reason } = first as NodeJS.ErrnoException & { reason?: string };
  const cure = code === undefined ? undefined : CURES[code];
  return cure ? `${cure} (${code})` : reason || first.message || (code ?? first.name);
}
