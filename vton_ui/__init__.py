"""A virtual try-on studio over fal.ai's CatVTON and FLUX Virtual Try-On."""
