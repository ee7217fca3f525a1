"""What the name of a file says where its bytes do not: source code, documents, pictures; weights."""

from __future__ import annotations

import os
from typing import Final


def words(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())


CODE: Final = words(
    """py pyi pyx ipynb js mjs cjs jsx ts tsx mts cts vue svelte java kt kts scala go rs c h cc cpp cxx hpp hh cu cuh mm swift cs fs
    rb php pl pm lua r jl sh bash zsh fish ps1 bat cmd sql proto thrift graphql gql cmake mk gradle tf hcl nix dart ex exs erl hs
    ml mli clj md mdx rst adoc tex bib org html htm xhtml css scss sass less diff patch po pot"""
)
"""Programs and documents: where they are text, they are no model files, and they speak about anything."""

SOURCE: Final = CODE | words(
    "m txt csv tsv log lock ini cfg toml env gitignore gitattributes dockerignore editorconfig properties jsonl ndjson"
)
"""Text whose looks are not asked, besides marks that only a format has."""

MEDIA: Final = words("png jpg jpeg gif bmp ico webp svg tif tiff mp3 wav flac ogg mp4 mkv mov avi webm pdf ttf otf woff woff2 eot psd")

WEIGHTS: Final = words(
    """pkl pickle pck pcl p dill joblib cloudpickle pt pth pt2 ckpt bin th t7 mar nemo npy npz h5 hdf5 keras hdf onnx ort gguf ggml
    ggjt ggla safetensors
    tflite lite mlmodel mlpackage pb pbtxt meta index data params pdparams pdmodel pdiparams pdopt caffemodel model weights msgpack skops
    pmml
    rds rda rdata ubj cbm xgb lgb engine plan trt pte mnn ncnn param dat xml llamafile mleap zip tar gz tgz bz2 xz zst lz4 7z wts nnet
    z lzma tbz2 txz orbax npk mlir bundle"""
)
"""What weights, checkpoints and their archives are called."""

KNOWN_BY_BYTES: Final = words(
    """pkl pickle dill joblib cloudpickle pt pth pt2 mar nemo npy npz h5 hdf5 keras onnx gguf safetensors tflite mlmodel pdparams skops
    pmml rds
    ubj cbm msgpack t7 pte zip 7z"""
)
"""Names of formats that all can be known by their bytes: a file that is called so and is none of them is broken, or something else."""

LIBRARIES: Final = words("so dll dylib exe pyd a o lib ko sys com msi bundle node wasm elf out appimage")


_MEDIA_MARKS: Final = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"\0\0\1\0", b"RIFF", b"<svg", b"<?xml", b"II*\0", b"MM\0*", b"ID3",
    b"fLaC", b"OggS", b"%PDF", b"\0\1\0\0", b"OTTO", b"wOF", b"8BPS", b"\x1aE\xdf\xa3", b"\xff\xfb", b"\xff\xf3")  # fmt: skip


def is_media(path: str, head: bytes) -> bool:
    """Whether it is a picture, a sound or the like, as its name says."""
    return extension(path) in MEDIA and (head.startswith(_MEDIA_MARKS) or head[4:8] == b"ftyp")


def extension(path: str) -> str:
    """In small letters, without the point; of a member, that of its own name."""
    name = path.rsplit("!", 1)[-1].rsplit("/", 1)[-1]
    return os.path.splitext(name)[1][1:].lower()


def base(path: str) -> str:
    """The name alone, in small letters."""
    return path.rsplit("!", 1)[-1].replace("\\", "/").rsplit("/", 1)[-1].lower()


def is_code(path: str) -> bool:
    return extension(path) in CODE


def is_source(path: str) -> bool:
    return extension(path) in SOURCE


def leads_out(path: str) -> bool:
    """Whether a path that a file names lies outside of the folder of the model."""
    path = path.strip().replace("\\", "/")
    return path.startswith(("/", "~")) or "://" in path or path[1:3] == ":/" or ".." in path.split("/")
