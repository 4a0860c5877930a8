//! What stands between the texts of a message: numbers, and fields' keys and lengths.

use prost::encoding::WireType;

/// At most so many bytes, put together before they are appended: to append each alone costs more than to make it.
#[derive(Debug)]
pub(super) struct Head<const MOST: usize> {
    bytes: [u8; MOST],
    used: usize,
}

impl<const MOST: usize> Head<MOST> {
    pub(super) fn new() -> Self {
        Self {
            bytes: [0; MOST],
            used: 0,
        }
    }

    /// A field of so many bytes, which come next.
    pub(super) fn of(field: u32, length: usize) -> Self {
        let mut head = Self::new();
        head.sized(field, length);
        head
    }

    /// A field of so many bytes, which come next.
    pub(super) fn sized(&mut self, field: u32, length: usize) {
        self.key(field, WireType::LengthDelimited);
        self.varint(length as u64);
    }

    /// A field of a few bytes, with them.
    pub(super) fn short<const N: usize>(&mut self, field: u32, value: [u8; N]) {
        self.sized(field, N);
        self.all(value);
    }

    pub(super) fn number(&mut self, field: u32, value: u64) {
        self.key(field, WireType::Varint);
        self.varint(value);
    }

    pub(super) fn fixed64(&mut self, field: u32, value: u64) {
        self.key(field, WireType::SixtyFourBit);
        self.all(value.to_le_bytes());
    }

    pub(super) fn fixed32(&mut self, field: u32, value: u32) {
        self.key(field, WireType::ThirtyTwoBit);
        self.all(value.to_le_bytes());
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes[..self.used]);
    }

    fn key(&mut self, field: u32, wire_type: WireType) {
        self.varint(u64::from(field << 3 | wire_type as u32));
    }

    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    fn varint(&mut self, value: u64) {
        let mut rest = value;
        while rest > 0x7f {
            self.byte(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.byte(rest as u8);
    }

    // Optimised for size it would be a call each, twenty times a span.
    #[inline(always)]
    fn byte(&mut self, byte: u8) {
        self.bytes[self.used] = byte;
        self.used += 1;
    }

    fn all<const N: usize>(&mut self, bytes: [u8; N]) {
        self.bytes[self.used..][..N].copy_from_slice(&bytes);
        self.used += N;
    }
}
