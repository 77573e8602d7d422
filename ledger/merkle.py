"""A Merkle tree over hashes, as in RFC 6962: roots in one pass, proofs of inclusion. Pure.

Leaves and nodes are hashed under different prefixes, so that no node passes for a leaf; a tree whose size is no power of
two is not padded, so that no two lists of leaves have one root.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

Hash = bytes


def leaf_hash(content: bytes) -> Hash:
    return sha256(b"\x00" + content).digest()


def node_hash(left: Hash, right: Hash) -> Hash:
    return sha256(b"\x01" + left + right).digest()


def root_of(leaves: Iterable[Hash]) -> Hash:
    """The root over leaf hashes, in one pass and in memory of the tree's height. Of no leaves: the hash of nothing."""
    stack: list[tuple[int, Hash]] = []  # subtrees, largest first, with their heights
    for leaf in leaves:
        height, subtree = 0, leaf
        while stack and stack[-1][0] == height:
            subtree = node_hash(stack.pop()[1], subtree)
            height += 1
        stack.append((height, subtree))
    if not stack:
        return sha256(b"").digest()
    root = stack.pop()[1]
    while stack:
        root = node_hash(stack.pop()[1], root)
    return root


def path_of(leaves: Sequence[Hash], position: int) -> list[Hash]:
    """The hashes that lead from the leaf at `position` to the root, lowest first."""
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if position < split:
        return [*path_of(leaves[:split], position), root_of(leaves[split:])]
    return [*path_of(leaves[split:], position - split), root_of(leaves[:split])]


def root_by_path(leaf: Hash, position: int, size: int, path: Sequence[Hash]) -> Hash | None:
    """The root that a path of `path_of` leads to; None if a tree of this size has no such path."""
    if not 0 <= position < size:
        return None
    if size == 1:
        return leaf if not path else None
    if not path:
        return None
    split = _split(size)
    if position < split:
        left = root_by_path(leaf, position, split, path[:-1])
        return None if left is None else node_hash(left, path[-1])
    right = root_by_path(leaf, position - split, size - split, path[:-1])
    return None if right is None else node_hash(path[-1], right)


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
