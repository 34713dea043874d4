"""The pages of files as readers see them: pictures, and the places of the text on them."""
