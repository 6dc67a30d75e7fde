/*
 * An entry of the commit log, and a message in the body of a pull answer (storage sheet §3.2, remoting sheet §11.1).
 * Offsets hold for IPv4 hosts; each IPv6 host moves what follows by 12.
 *
 * |  at | size    | field                                                           |
 * |   0 | 4       | total size, this field included                                 |
 * |   4 | 4       | magic: V1, or V2 with a topic length of two bytes               |
 * |   8 | 4       | CRC-32 of the body & 0x7fffffff                                 |
 * |  12 | 4       | queue id                                                        |
 * |  16 | 4       | flag                                                            |
 * |  20 | 8       | queue offset                                                    |
 * |  28 | 8       | physical offset                                                 |
 * |  36 | 4       | sysFlag; 0x10 born host is IPv6, 0x20 store host is IPv6        |
 * |  40 | 8       | born timestamp, ms                                              |
 * |  48 | 8 or 20 | born host: address, port as int                                 |
 * |  56 | 8       | store timestamp, ms                                             |
 * |  64 | 8 or 20 | store host: address, port as int                                |
 * |  72 | 4       | reconsume times                                                 |
 * |  76 | 8       | prepared transaction offset                                     |
 * |  84 | 4 + n   | body length, body                                               |
 * |   … | 1 + n   | topic length (V2: 2 + n), topic                                 |
 * |   … | 2 + n   | properties length, properties                                   |
 */

/** Magic of an entry with a topic of up to 127 bytes. */
export const MAGIC_V1: number = -626843481;
/** Magic of an entry with a longer topic. */
export const MAGIC_V2: number = -626843477;
/** Magic of the record that fills the end of a segment: its size in four bytes, this, then anything. */
export const BLANK_MAGIC: number = -875286124;

/** Size of the smallest entry. */
export const MIN_STORED_SIZE: number = 91;

/** Longest topic of an entry with MAGIC_V1, bytes. */
export const MAX_V1_TOPIC: number = 127;
/** Where the body's length stands when both hosts are IPv4. */
export const VARIABLE_AT: number = 84;
/** Least number of bytes from there on. */
export const LEAST_VARIABLE: number = 7;
/** Least number of bytes behind the store host's address. */
export const AFTER_STORE_HOST: number = 23;

/** `StoredMessage.parse`: the bytes end before the entry does. */
export const INCOMPLETE: number = -1;
/** `StoredMessage.parse`: neither a message nor a blank record. */
export const BAD_MAGIC: number = -2;
/** `StoredMessage.parse`: the lengths inside do not add up to the size. */
export const BAD_LENGTH: number = -3;
/** `StoredMessage.parse`: the body is not the one that was stored. */
export const BAD_CRC: number = -4;
