//! Finding a host by its name.

use super::fleet::Member;

/// Where each host is in a list of members.
///
/// A decision is little work beside waiting for memory, so a search reads two places of it: a slot, and the name it leads to. What is found
/// stands in the slot, so that the processor fetches what lies there while it still waits for the name that proves it right. Open
/// addressing; at least half of the slots stay empty, so that a search ends soon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    slots: Vec<Slot>,
    /// Names, each after its length in one byte.
    names: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Slot {
    /// The upper half of the name's hash, which spares most looks at names of others.
    tag: u32,
    /// One more than where the name begins; nothing in a free slot.
    name: u32,
    /// Where the host is.
    place: u32,
}

impl Index {
    pub(super) fn of(members: &[Member]) -> Self {
        let count = (members.len() * 2).next_power_of_two().max(2);
        let mut index = Self {
            slots: vec![Slot::default(); count],
            names: Vec::with_capacity(members.len() * 24),
        };
        for (place, member) in (0_u32..).zip(members) {
            index.add(place, member.host.as_str());
        }
        index
    }

    fn add(&mut self, place: u32, name: &str) {
        // A name has at most 253 bytes, and a fleet ten million hosts: both numbers fit.
        let (Ok(length), Ok(begin)) = (u8::try_from(name.len()), u32::try_from(self.names.len()))
        else {
            return;
        };
        let (tag, mut at) = self.begin(name);
        while self.slots.get(at).is_some_and(|slot| slot.name != 0) {
            at = (at + 1) & (self.slots.len() - 1);
        }
        if let Some(free) = self.slots.get_mut(at) {
            let name = begin + 1;
            *free = Slot { tag, name, place };
        }
        self.names.push(length);
        self.names.extend_from_slice(name.as_bytes());
    }

    /// The place of the host of that name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let (tag, mut at) = self.begin(name);
        loop {
            let slot = self.slots.get(at)?;
            let begin = usize::try_from(slot.name.checked_sub(1)?).ok()?;
            if slot.tag == tag {
                let (length, rest) = self.names.get(begin..)?.split_first()?;
                if rest.get(..usize::from(*length)) == Some(name.as_bytes()) {
                    return usize::try_from(slot.place).ok();
                }
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// The tag of a name, and the slot to begin with.
    fn begin(&self, name: &str) -> (u32, usize) {
        let hash = hash(name);
        let slot = usize::try_from(hash & 0xffff_ffff).unwrap_or(0) & (self.slots.len() - 1);
        (u32::try_from(hash >> 32).unwrap_or(0), slot)
    }
}

/// It decides how long a search takes, never what is found, so it is quick instead of frozen.
fn hash(name: &str) -> u64 {
    let (words, rest) = name.as_bytes().as_chunks::<8>();
    let rest = rest
        .iter()
        .fold(1_u64, |word, byte| (word << 8) | u64::from(*byte));
    let words = words
        .iter()
        .map(|word| u64::from_le_bytes(*word))
        .chain([rest]);
    words.fold(0_u64, |state, word| {
        let product = (state ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        product ^ (product >> 32)
    })
}
