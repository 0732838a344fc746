/**
 * A short text message as the frame that a WebSocket takes (RFC 6455, 5.2). A server masks nothing, so a frame is
 * the same bytes for every socket, and one write where ws makes two of each message. Bytes and not a string: a
 * socket takes longer to encode a short string than to write it.
 */

const textOpcode = 0x81;
/** Up to this length the second byte is the length; else it says how many bytes have it. */
const maxShortBytes = 125;
const [lengthInTwoBytes, lengthInEightBytes] = [126, 127];
const maxTwoBytes = 0xffff;
const [shortHeadBytes, middleHeadBytes, longHeadBytes] = [2, 4, 10];

export function textFrame(text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const headBytes = headBytesOf(bytes);
  const frame = Buffer.allocUnsafe(headBytes + bytes);
  frame[0] = textOpcode;
  if (headBytes === shortHeadBytes) {
    frame[1] = bytes;
  } else if (headBytes === middleHeadBytes) {
    frame[1] = lengthInTwoBytes;
    frame.writeUInt16BE(bytes, shortHeadBytes);
  } else {
    frame[1] = lengthInEightBytes;
    frame.writeBigUInt64BE(BigInt(bytes), shortHeadBytes);
  }
  frame.write(text, headBytes);
  return frame;
}

function headBytesOf(bytes: number): number {
  if (bytes <= maxShortBytes) return shortHeadBytes;
  return bytes <= maxTwoBytes ? middleHeadBytes : longHeadBytes;
}
