"""Files: fields and initialisations, run folders, checkpoints."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "checkpoints": ["Checkpoint", "Checkpoints"],
        "field_file": ["FieldFile"],
        "run_folder": ["RunFolder", "describe_files"],
        "tensorboard": ["TensorBoardEvents"],
    },
)
