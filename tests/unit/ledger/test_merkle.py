"""The tree, held against RFC 6962's own definition and its vectors."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.merkle import leaf_hash, node_hash, path_of, root_by_path, root_of

# The inputs and roots that certificate transparency's own implementations are tested with.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def by_definition(leaves):
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(by_definition(leaves[:split]), by_definition(leaves[split:]))


class TestRoot:
    @pytest.mark.parametrize("size", range(1, 9))
    def test_is_that_of_the_known_vectors(self, size):
        assert root_of(leaf_hash(content) for content in INPUTS[:size]).hex() == ROOTS[size - 1]

    @pytest.mark.parametrize("size", range(1, 70))
    def test_is_that_of_the_definition(self, size):
        leaves = [leaf_hash(bytes([number])) for number in range(size)]
        assert root_of(leaves) == by_definition(leaves)

    def test_of_nothing_is_the_hash_of_nothing(self):
        assert root_of([]) == sha256(b"").digest()


class TestPath:
    @given(st.integers(1, 200), st.data())
    def test_leads_from_each_leaf_to_the_root_and_from_no_other(self, size, data):
        leaves = [leaf_hash(number.to_bytes(2, "big")) for number in range(size)]
        position = data.draw(st.integers(0, size - 1))
        path = path_of(leaves, position)
        assert root_by_path(leaves[position], position, size, path) == root_of(leaves)
        assert root_by_path(leaf_hash(b"other"), position, size, path) != root_of(leaves)
        assert root_by_path(leaves[position], position, size, [*path, leaves[0]]) is None
        if path:
            assert root_by_path(leaves[position], position, size, path[:-1]) is None
            assert root_by_path(leaves[position], (position + 1) % size, size, path) != root_of(leaves)

    @pytest.mark.parametrize("size", range(1, 9))
    def test_outside_the_tree_leads_nowhere_even_by_the_path_of_the_leaf_beside_it(self, size):
        leaves = [leaf_hash(bytes([number])) for number in range(size)]
        for position, beside in ((-1, 0), (size, size - 1)):
            path = path_of(leaves, beside)
            assert root_by_path(leaves[beside], beside, size, path) == root_of(leaves)
            assert root_by_path(leaves[beside], position, size, path) is None
            assert root_by_path(leaves[beside], position, size, []) is None
