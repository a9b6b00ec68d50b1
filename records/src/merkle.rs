//! Merkle tree over the entries of a record, as RFC 6962, 2.1, grown one leaf at a time.

use sha2::{Digest, Sha256};

use crate::chain::{Hash, hex};

/// A leaf is the SHA-256 of 00 and the hash of an entry (32 bytes), a node the SHA-256 of 01
/// and the hashes of its two children.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    leaves: u64,
    /// Roots of the complete subtrees from left to right, one for each bit of `leaves`.
    roots: Vec<Hash>,
}

impl Tree {
    pub fn push(&mut self, entry: &Hash) {
        let mut node: Hash = Sha256::new()
            .chain_update([0])
            .chain_update(entry)
            .finalize()
            .into();
        // As in counting up by one: each carry joins two subtrees of one size.
        for _ in 0..self.leaves.trailing_ones() {
            let Some(left) = self.roots.pop() else { break };
            node = join(&left, &node);
        }
        self.roots.push(node);
        self.leaves += 1;
    }

    /// In lower-case hexadecimal; of no leaf at all the SHA-256 of nothing.
    pub fn root(&self) -> String {
        let root = self.roots.iter().rev().copied();
        let root = root.reduce(|right, left| join(&left, &right));
        hex(&root.unwrap_or_else(|| Sha256::digest([]).into()))
    }
}

fn join(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962, 2.1, as it is written there.
    fn by_definition(entries: &[Hash]) -> Hash {
        match entries {
            [] => Sha256::digest([]).into(),
            [entry] => Sha256::digest([&[0][..], entry].concat()).into(),
            _ => {
                let at = entries.len().next_power_of_two() / 2;
                let (left, right) = entries.split_at(at);
                let nodes = [by_definition(left), by_definition(right)].concat();
                Sha256::digest([&[1][..], &nodes].concat()).into()
            }
        }
    }

    #[test]
    fn the_root_is_that_of_the_definition() {
        let entries: Vec<Hash> = (0..300_u64)
            .map(|number| Sha256::digest(number.to_be_bytes()).into())
            .collect();
        let mut tree = Tree::default();
        for (at, entry) in entries.iter().enumerate() {
            assert_eq!(tree.root(), hex(&by_definition(&entries[..at])), "{at}");
            tree.push(entry);
        }
    }

    /// Root of an empty tree and of one empty leaf: the vectors of Certificate Transparency
    /// (RFC 6962 reference code) hash leaves of any length; ours are 32 bytes long.
    #[test]
    fn an_empty_tree_has_the_hash_of_nothing() {
        assert_eq!(
            Tree::default().root(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
