"""What the codes of pixels and donors mean, in English; haechi.forensics.words joins them."""

from collections.abc import Mapping

PIXELS: Mapping[str, str] = {
    "pixels.broken": "The file could not be opened as a picture: %(why)s",
    "pixels.jpeg_twice.speaks": "The picture was saved as JPEG more than once.",
    "pixels.jpeg_twice.silent": "No trace of an earlier JPEG compression.",
    "pixels.jpeg_grid.speaks": (
        "In a part of the picture the grid of an earlier JPEG compression lies differently from the rest, "
        "as after pasting."
    ),
    "pixels.jpeg_grid.silent": "Where traces of an earlier JPEG grid can be seen, they agree.",
    "pixels.jpeg_history.speaks": (
        "A part of the picture was compressed as JPEG differently from the rest before it was last saved."
    ),
    "pixels.jpeg_history.silent": "No part of the picture clearly shows another history of JPEG compression.",
    "pixels.noise.speaks": (
        "A part of the picture has another amount of noise than parts of the same brightness elsewhere."
    ),
    "pixels.noise.silent": "The noise fits together all over the picture.",
    "pixels.sharpness.speaks": "A part of the picture has edges of another sharpness than its surroundings.",
    "pixels.sharpness.silent": "The sharpness of edges fits together all over the picture.",
    "pixels.copy_move.speaks": "A part of the picture appears a second time in the same picture.",
    "pixels.copy_move.silent": "No part of the picture was found to appear twice.",
    "pixels.spectrum.speaks": (
        "The fine structure repeats itself in regular steps, as machines that enlarge or generate "
        "pictures leave it."
    ),
    "pixels.spectrum.silent": "The fine structure shows no regular steps of enlarging.",
    "pixels.face.speaks": "The finest detail of this face is unlike that of what is around it.",
    "pixels.face.silent": "The finest detail of this face is like that of what is around it.",
    "pixels.face.off": "This face is too small to compare it with what is around it.",
    "pixels.seam.speaks": (
        "In a ring around this face fine detail is missing, as where two pictures run into each other."
    ),
    "pixels.seam.silent": "No ring without fine detail was found around this face.",
    "pixels.seam.off": "Whether there is a seam around this face could not be examined.",
    "models.failed": "The model %(model)s gave no result (%(why)s).",
    "pixels.jpeg_twice.off": "Whether it was saved as JPEG before could not be examined.",
    "pixels.jpeg_grid.off": "The grids of earlier JPEG compressions could not be compared.",
    "pixels.jpeg_history.off": "The histories of JPEG compression of its parts could not be compared.",
    "pixels.noise.off": "The noise of its parts could not be compared.",
    "pixels.sharpness.off": "The sharpness of its parts could not be compared.",
    "pixels.copy_move.off": "Whether a part appears twice could not be examined.",
    "pixels.spectrum.off": "The regularity of its fine structure could not be examined.",
}

DONORS: Mapping[str, str] = {
    "donor.inserted": (
        "A part of this picture (marked) was found in the picture given for comparison (number "
        "%(number)s), and what surrounds it there is not here: it was put in, here or there."
    ),
    "donor.replaced": (
        "This picture is a copy of the one given for comparison (number %(number)s), except for the "
        "marked part: something else is there."
    ),
    "donor.copy": (
        "This picture and the one given for comparison (number %(number)s) show the same wherever they "
        "overlap."
    ),
    "donor.covered": (
        "This picture is a copy of the one given for comparison (number %(number)s); what differs (marked) "
        "looks laid over it or blurred, as words, blocks and frames are."
    ),
    "donor.moved": (
        "This picture and the one given for comparison (number %(number)s) show the same things at "
        "places that differ a little, as two photographs of one scene do."
    ),
    "donor.inset": (
        "The picture given for comparison (number %(number)s), or a part of it, stands in this one, as in a "
        "collage, a screenshot, a round portrait of an app, or as a poster on a wall."
    ),
    "donor.shared": (
        "This picture and the one given for comparison (number %(number)s) share something; what it "
        "means cannot be told."
    ),
    "donor.nothing": "Nothing of the picture given for comparison (number %(number)s) was found here.",
    "donor.off": "The picture given for comparison (number %(number)s) could not be compared.",
}

REST: Mapping[str, str] = {
    "pixels.rest.faces": (
        "Of the %(whole)s megapixels of this picture %(seen)s were examined: first the parts that show "
        "faces, then from the middle outward. The rest was searched for repeated parts only."
    ),
    "pixels.rest.middle": (
        "Of the %(whole)s megapixels of this picture %(seen)s were examined, from the middle outward. "
        "The rest was searched for repeated parts only."
    ),
}

OFF: Mapping[str, str] = {
    "off.broken": "The picture could not be opened.",
    "off.too_small": "The picture is too small for it.",
    "off.small_face": "The face is too small for it.",
    "off.no_jpeg": "Only JPEG files keep this trace.",
    "off.strong_jpeg": "The file was compressed so strongly that the trace is gone.",
    "off.flat": "Too little of the picture has the structure that it needs.",
    "off.clipped": "Too much of the picture is plain black or white.",
    "off.no_face": "No face was found.",
    "off.failed": "It failed or took too long.",
    "off.video": "Only single pictures are examined so.",
}

LIMITS: Mapping[str, str] = {
    "limit.resaved": "Messengers and editing programs save pictures again: by itself this is ordinary.",
    "limit.recompressed": "Sending through a messenger or making smaller removes this trace, and can imitate it.",
    "limit.depth_of_field": "A sharp subject before a blurred background, as portraits have, looks the same.",
    "limit.denoised": (
        "Phones smooth faces, skies and dark parts by themselves, which looks the same."
    ),
    "limit.overlay": "Words, stickers, frames and collages laid over a real photograph look the same.",
    "limit.patterns": "Bricks, cloth, leaves, windows and print repeat themselves without anybody copying.",
    "limit.enlarged": "Enlarging a real photograph leaves the same steps.",
    "limit.screen": "A photograph of a screen, and a screenshot, look the same.",
    "limit.weak_alone": "By itself it decides nothing.",
    "limit.seam_hair": (
        "Hair, shadows, chins, glasses, hats and a blurred background make such rings too, and a good blend "
        "makes none."
    ),
    "limit.not_calibrated": "How often it errs was not measured here, so it counts for nothing.",
    "limit.donor_both_ways": (
        "It shows that both share a part, not which of them came first: look for the older one."
    ),
    "limit.donor_object": "The same thing, poster or building in two real photographs can look the same.",
    "limit.donor_overlay": (
        "Words, stickers or frames laid over a copy also differ: look whether it is the face or body."
    ),
}

STEPS: Mapping[str, str] = {
    "next.look_at_donor": (
        "Look at the two pictures side by side, and keep where and when the other one was published: "
        "it dates what was taken from it."
    ),
    "next.look_at_regions": "Look at the marked parts yourself: is there something else that explains them?",
    "next.add_model": (
        "No calibrated model looked at it. Whoever runs this installation can add one (haechi models add)."
    ),
}
