"""Names of the package that are loaded when they are first used. Runs on both runtimes."""

import kcp


def test_modules_that_nobody_has_imported():
    from kcp import crypt, kdf

    assert "aes-128" in crypt.NAMES
    assert kdf.derive_key is kcp.derive_key
    assert kcp.packet.TOO_SHORT < 0


def test_names():
    for name in kcp.__all__:
        assert getattr(kcp, name) is getattr(kcp, name)


def test_what_is_not_there():
    for name in ("nothing", "__nothing__", "crypt_"):
        assert not hasattr(kcp, name)
        try:
            getattr(kcp, name)
        except AttributeError as error:
            assert name in str(error)
        else:
            raise AssertionError(name)
