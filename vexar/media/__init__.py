"""Images: decoded and encoded anew, stored below the upload folder, swept."""
