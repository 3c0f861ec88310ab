"""The content of the template's site: pages, an image, a banner, accounts."""

import io
import os
import sys

sys.path.insert(0, os.getcwd())

import django

django.setup()

from django.contrib.auth import get_user_model
from django.core.files.images import ImageFile
from PIL import Image as Picture
from testbed_banner.models import Banner
from wagtail.images.models import Image
from wagtail.models import Page, Site

from home.models import HomePage

get_user_model().objects.create_superuser("admin", "admin@testbed.example", "testbed-admin")
get_user_model().objects.create_user("lucie", "lucie@testbed.example", "testbed-lucie")
Page.objects.filter(depth=2).delete()
root = Page.objects.get(depth=1)
home = root.add_child(instance=HomePage(title="Chez Lucie & fils", slug="home", body="<p>Bienvenue. Ouvert de 9 h à 17 h.</p>"))
Site.objects.all().delete()
Site.objects.create(hostname="localhost", port=80, root_page=home, is_default_site=True, site_name="Chez Lucie")
for at in range(1, 6):
    home.add_child(instance=HomePage(title="Page %d" % at, slug="page-%d" % at, body="<p>%s</p>" % ("Du texte. " * 40)))
Banner.objects.create(text="Fermé le 24 décembre")
drawn = io.BytesIO()
Picture.new("RGB", (320, 200), (200, 40, 60)).save(drawn, "PNG")
Image.objects.create(title="Une image", file=ImageFile(drawn, name="avis été & hiver (1).png"))
