# Says what made a folder of pages, if they say so themselves:  sh look.sh ROOT
# Reads the beginning of the front page, and nothing else.
LC_ALL=C
export LC_ALL
cd -- "$1" || exit 3
for page in index.html index.htm public/index.html htdocs/index.html; do
	[ -f "$page" ] || continue
	# One line for each tag; whatever else stands in the page is not looked at.
	head -c 65536 "./$page" | tr '\n\t\r' '   ' | tr '<' '\n' | grep -i '^meta .*name=["'\'']*generator' | head -n 1 |
		sed 's/.*[Cc][Oo][Nn][Tt][Ee][Nn][Tt]=["'\'']*\([^"'\'' >][^"'\''>]*\).*/generator \1/' | cut -c 1-120
	break
done
echo "folder seen"
