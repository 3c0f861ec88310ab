<?php
/**
 * Brings the core, an extension or a skin to a version. MediaWiki has no updater of its own:
 *
 *   php update.php ROOT SCRATCH GPGV core VERSION
 *   php update.php ROOT SCRATCH GPGV extension|skin NAME VERSION
 *
 * The core: the release that is installed and the wanted one are downloaded, and their signatures are checked with the
 * keys that mediawiki.org publishes. The two lists of files say what belongs to the core: what the new release has is
 * put in place, what only the old one had is removed, everything else stays as it is (LocalSettings.php, images, third
 * parties' extensions and skins, files that somebody added). A file of the core that somebody changed stops it. Snapshots
 * of ExtensionDistributor move to the new release's branch along with it, as MediaWiki asks for.
 *
 * An extension or a skin: the snapshot of the core's branch takes the place of the folder. Nobody publishes signatures
 * of those; they come by https from the distributor.
 *
 * Everything is downloaded, checked and laid out beside the site's files before the first of them changes. What is cut
 * short after that is put right by a restore, not by a second try.
 */

list( , $root, $scratch, $gpgv, $what, $name ) = array_pad( $argv, 6, '' );
$version = 'core' === $what ? $name : ( isset( $argv[6] ) ? $argv[6] : '' );
$root    = rtrim( $root, '/' );
if ( ! preg_match( '/^[0-9][0-9A-Za-z.-]{0,60}$/', $version ) || ! in_array( $what, array( 'core', 'extension', 'skin' ), true ) || ( 'core' !== $what && ! preg_match( '/^[A-Za-z0-9][A-Za-z0-9_.-]{0,100}$/', $name ) ) ) {
	fwrite( STDERR, "usage: update.php ROOT SCRATCH GPGV core VERSION | extension|skin NAME VERSION\n" );
	exit( 2 );
}
require __DIR__ . '/settings.php';
require __DIR__ . '/service.php';
umask( 022 );
// New files lie here until all of them are there: on the same file system, so that each is put in place by a rename.
$stage = "$root/.intendant-update";
register_shutdown_function(
	static function () use ( $stage, $scratch ) {
		foreach ( array( $stage, "$scratch/old", "$scratch/new", "$scratch/components" ) as $folder ) {
			intendant_remove( $folder );
		}
	}
);

/** A release, downloaded and checked: its folder. */
function intendant_release( $version, $scratch, $gpgv, $to ) {
	$file = "mediawiki-$version.tar.gz";
	$base = INTENDANT_RELEASES . intendant_series( $version ) . "/$file";
	foreach ( array( '' => 400 << 20, '.sig' => 1 << 20 ) as $ending => $most ) {
		list( $why ) = intendant_fetch( $base . $ending, "$scratch/$file$ending", $most );
		if ( null !== $why ) {
			intendant_stop( "$base$ending $why; nothing was changed" );
		}
	}
	if ( ! is_file( "$scratch/keys.gpg" ) ) {
		list( $why, $keys ) = intendant_text( INTENDANT_KEYS );
		$all                = '';
		if ( null === $why && preg_match_all( '/-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\r\n]+:[^\r\n]*\r?\n)*\r?\n([A-Za-z0-9+\/=\s]+?)(?:\r?\n=[A-Za-z0-9+\/]{4})?\s*-----END/', $keys, $blocks ) ) {
			foreach ( $blocks[1] as $block ) {
				$all .= (string) base64_decode( preg_replace( '/\s+/', '', $block ), true );
			}
		}
		if ( '' === $all ) {
			intendant_stop( INTENDANT_KEYS . ' ' . ( null === $why ? 'holds no keys' : $why ) . '; nothing was changed' );
		}
		file_put_contents( "$scratch/keys.gpg", $all );
	}
	list( $code, $said, $error ) = intendant_run( array( $gpgv, '--status-fd', '1', '--keyring', "$scratch/keys.gpg", "$scratch/$file.sig", "$scratch/$file" ) );
	// gpgv also ends well with a key that was revoked. One that has run out since was good when it signed.
	$good = preg_match( '/^\[GNUPG:\] (?:GOODSIG|EXPKEYSIG) /m', $said ) && ! preg_match( '/^\[GNUPG:\] (?:REVKEYSIG|EXPSIG|BADSIG|ERRSIG) /m', $said );
	if ( 0 !== $code || ! $good || ! preg_match( '/^\[GNUPG:\] VALIDSIG ([0-9A-F]{40})/m', $said, $found ) ) {
		intendant_stop( "the signature of $file is not a good one of mediawiki.org's keys: " . substr( trim( $error ), -300 ) . '; nothing was changed' );
	}
	echo "$file: signed with {$found[1]}\n";
	$folder = intendant_unpack( "$scratch/$file", "mediawiki-$version", $to );
	unlink( "$scratch/$file" );
	if ( intendant_core_version( $folder ) !== $version ) {
		intendant_stop( "$base holds MediaWiki " . intendant_core_version( $folder ) . ", not $version; nothing was changed" );
	}
	return $folder;
}

/** All files and links below a folder: path => digest. */
function intendant_digests( $folder ) {
	$all   = array();
	$queue = array( '' );
	while ( $queue ) {
		$below = array_pop( $queue );
		foreach ( (array) scandir( "$folder/$below" ) as $name ) {
			if ( ! is_string( $name ) || '.' === $name || '..' === $name ) {
				continue;
			}
			$path = '' === $below ? $name : "$below/$name";
			if ( is_link( "$folder/$path" ) ) {
				$all[ $path ] = 'link ' . readlink( "$folder/$path" );
			} elseif ( is_dir( "$folder/$path" ) ) {
				$queue[] = $path;
			} else {
				$all[ $path ] = hash_file( 'sha256', "$folder/$path" );
			}
			if ( count( $all ) > 300000 ) {
				intendant_stop( 'a release has too many files; nothing was changed' );
			}
		}
	}
	ksort( $all );
	return $all;
}

/** What is at a place now: its digest, null for nothing, 'folder'. */
function intendant_present( $path ) {
	if ( is_link( $path ) ) {
		return 'link ' . readlink( $path );
	}
	return is_dir( $path ) ? 'folder' : ( is_file( $path ) ? hash_file( 'sha256', $path ) : null );
}

/** What somebody removes or replaces as one: a bundled extension or skin, else the uppermost folder, or the file itself. */
function intendant_whole( $path ) {
	$parts = explode( '/', $path );
	return implode( '/', array_slice( $parts, 0, in_array( $parts[0], array( 'extensions', 'skins' ), true ) && count( $parts ) > 2 ? 2 : 1 ) );
}

/** The uppermost folder above a path that is a link, or null. */
function intendant_link_above( $root, $path ) {
	$parts = explode( '/', $path );
	for ( $many = 1; $many < count( $parts ); ++$many ) {
		$above = implode( '/', array_slice( $parts, 0, $many ) );
		if ( is_link( "$root/$above" ) ) {
			return $above;
		}
	}
	return null;
}

/** Downloads and lays out a snapshot of the distributor: array( its folder in the stage, its version ). */
function intendant_snapshot( $kind, $name, $url, $scratch, $stage ) {
	$file        = "$scratch/$kind-$name.tar.gz";
	list( $why ) = intendant_fetch( $url, $file, 200 << 20 );
	if ( null !== $why ) {
		intendant_stop( "$url $why; nothing was changed" );
	}
	$folder                       = intendant_unpack( $file, $name, "$scratch/components/$kind-$name" );
	list( $version, , $commit, $manifest ) = intendant_component( $folder, $kind );
	unlink( $file );
	if ( null === $commit || 0 !== strpos( $commit, intendant_commit( $url ) ) || ! $manifest ) {
		intendant_stop( "$url does not hold what its name says; nothing was changed" );
	}
	$to = "$stage/$kind-$name";
	list( $code, , $error ) = intendant_run( array( 'cp', '-R', '--', $folder, $to ) );
	if ( 0 !== $code ) {
		intendant_stop( "$name can't be laid out in $stage: $error; nothing was changed" );
	}
	return array( $to, $version );
}

/** Puts a laid out folder in the place of the present one. */
function intendant_swap( $from, $place, $aside ) {
	@chmod( $from, fileperms( $place ) & 07777 );
	if ( ! rename( $place, $aside ) || ! rename( $from, $place ) ) {
		intendant_stop( "$place could not be replaced; it may be half done", 5 );
	}
}

$has = intendant_core_version( $root );
if ( '' === $has ) {
	intendant_stop( "$root does not tell which version of MediaWiki it is; nothing was changed" );
}
intendant_remove( $stage );
if ( ! @mkdir( $stage, 0700 ) ) {
	intendant_stop( "can't write in $root; nothing was changed" );
}

if ( 'core' !== $what ) {
	$place  = "$root/{$what}s/$name";
	$branch = 'REL' . strtr( intendant_series( $has ), '.', '_' );
	list( $old, $from ) = intendant_component( $place, $what );
	if ( null === $from || is_link( $place ) || is_link( dirname( $place ) ) ) {
		intendant_stop( "$place is no snapshot of ExtensionDistributor; nothing was changed" );
	}
	if ( $old === $version ) {
		echo "$name is already at $version\n";
		exit( 0 );
	}
	list( $why, $snapshots ) = intendant_snapshots( array( "$what:$name" ) );
	if ( null !== $why || ! isset( $snapshots[ "$what:$name" ][ $branch ] ) ) {
		intendant_stop( INTENDANT_API . ' ' . ( null === $why ? "knows no $branch of $name" : $why ) . '; nothing was changed' );
	}
	list( $new, $found ) = intendant_snapshot( $what, $name, $snapshots[ "$what:$name" ][ $branch ], $scratch, $stage );
	if ( $found !== $version ) {
		intendant_stop( "the distributor has $name $found now, not $version; nothing was changed" );
	}
	intendant_swap( $new, $place, "$stage/aside" );
	echo "$name: $old → $version\n";
	exit( 0 );
}

if ( $has === $version ) {
	echo "MediaWiki is already at $version\n";
	exit( 0 );
}
$new  = intendant_digests( $folder = intendant_release( $version, $scratch, $gpgv, "$scratch/new" ) );
$old  = intendant_digests( $former = intendant_release( $has, $scratch, $gpgv, "$scratch/old" ) );
$stop = array();

// A release that is newer than what the inventory knows says itself which PHP it needs.
$asks = intendant_json( "$folder/composer.json" );
$asks = isset( $asks['require']['php'] ) && is_string( $asks['require']['php'] ) ? $asks['require']['php'] : '';
if ( preg_match( '/>=\s*([0-9]+(?:\.[0-9]+)*)/', $asks, $found ) && version_compare( PHP_VERSION, $found[1], '<' ) ) {
	$stop[] = "MediaWiki $version needs PHP {$found[1]}, and this host has " . PHP_VERSION;
}

// What the site loads must be in the new release, if it came with the old one.
foreach ( array_keys( $intendant_loaded ) as $id ) {
	list( $kind, $slug ) = explode( ':', $id, 2 );
	if ( isset( $old[ "{$kind}s/$slug/$kind.json" ] ) && ! isset( $new[ "{$kind}s/$slug/$kind.json" ] ) ) {
		$stop[] = "LocalSettings.php loads $slug, which MediaWiki $version no longer comes with: take that line out";
	}
}

// Snapshots of the distributor move along: each release has a branch of its own.
$branch    = 'REL' . strtr( intendant_series( $version ), '.', '_' );
$moving    = array();
$otherwise = array();
foreach ( array( 'extension', 'skin' ) as $kind ) {
	foreach ( intendant_folders( $root, $kind ) as $slug => $place ) {
		list( $one, $from ) = intendant_component( $place, $kind );
		if ( null !== $from && ! is_link( $place ) && $from !== $branch ) {
			$moving[ "$kind:$slug" ] = array( $place, $one );
		}
		// A bundled one that was brought to another version by hand is replaced as a whole; a checkout is somebody's work.
		$of  = "{$kind}s/$slug";
		$its = intendant_component( "$former/$of", $kind );
		if ( ! is_dir( "$former/$of" ) || is_link( $place ) ) {
			continue;
		}
		if ( file_exists( "$place/.git" ) ) {
			$stop[]           = "$of comes with MediaWiki, and is a checkout of git here: move it out of the way, or bring everything up to date by hand";
			$otherwise[ $of ] = null;
		} elseif ( $its[0] !== $one || null !== $from ) {
			$otherwise[ $of ] = $one;
		}
	}
}
if ( intendant_series( $version ) === intendant_series( $has ) ) {
	$moving = array();
}

// What the release that is installed has: folders, and whole extensions and skins.
$wholes = array();
foreach ( $old as $path => $ignored ) {
	$wholes[ intendant_whole( $path ) ] = true;
}
$write  = array();
$remove = array();
foreach ( $new + $old as $path => $ignored ) {
	$parts  = explode( '/', $path );
	$of     = implode( '/', array_slice( $parts, 0, 2 ) );
	$now    = intendant_present( "$root/$path" );
	$before = isset( $old[ $path ] ) ? $old[ $path ] : null;
	$after  = isset( $new[ $path ] ) ? $new[ $path ] : null;
	if ( $now === $after || 'LocalSettings.php' === $path || array_key_exists( $of, $otherwise ) ) {
		continue;
	}
	if ( 'folder' === $now ) {
		$stop[] = "$path is a folder here and a file in the release";
		continue;
	}
	// What somebody removed on purpose stays away: the installer, documentation, a bundled extension.
	$whole = intendant_whole( $path );
	if ( null === $now && $whole !== $path && isset( $wholes[ $whole ] ) && ! file_exists( "$root/$whole" ) && ! is_link( "$root/$whole" ) ) {
		continue;
	}
	if ( null !== $now && $now !== $before ) {
		if ( in_array( $parts[0], array( 'images', 'cache' ), true ) || preg_match( '/(?:^|\/)(?:\.htaccess|robots\.txt)$|\.(?:png|jpe?g|gif|svg|ico|webp)$/i', $path ) ) {
			continue;
		}
		$stop[] = null === $before ? "$path was added here and is a file of MediaWiki $version" : "$path was changed here";
		continue;
	}
	// Behind a link lies what no snapshot of this folder holds, and what others may use.
	$link = intendant_link_above( $root, $path );
	if ( null !== $link ) {
		if ( ! in_array( $parts[0], array( 'images', 'cache' ), true ) ) {
			$stop[ "link $link" ] = "$link is a link to another place, where files would change";
		}
		continue;
	}
	if ( null !== $after ) {
		$write[] = $path;
	} elseif ( null !== $now ) {
		$remove[] = $path;
	}
}
foreach ( $moving ? array( 'extensions', 'skins' ) : array() as $folder_of ) {
	if ( is_link( "$root/$folder_of" ) ) {
		$stop[ "link $folder_of" ] = "$folder_of is a link to another place, where files would change";
	}
}
if ( $stop ) {
	intendant_stop( count( $stop ) . ' things stand in the way, and nothing was changed: ' . implode( '; ', array_slice( array_values( $stop ), 0, 10 ) ) );
}

$along = array();
$check = array();
if ( $moving ) {
	list( $why, $snapshots ) = intendant_snapshots( array_keys( $moving ) );
	foreach ( $moving as $id => list( $place, $one ) ) {
		list( $kind, $slug ) = explode( ':', $id, 2 );
		if ( isset( $new[ "{$kind}s/$slug/$kind.json" ] ) ) {
			continue;
		}
		if ( null !== $why || ! isset( $snapshots[ $id ][ $branch ] ) ) {
			intendant_stop( INTENDANT_API . ' ' . ( null === $why ? "knows no $branch of $slug" : $why ) . '; nothing was changed' );
		}
		list( $laid, $to ) = intendant_snapshot( $kind, $slug, $snapshots[ $id ][ $branch ], $scratch, $stage );
		$along[]           = array( $laid, $place, "$stage/aside-$kind-$slug", "$slug: $one → $to" );
	}
}

// What is no longer part of MediaWiki stays as it is.
foreach ( array_intersect_key( array_filter( $otherwise, 'is_string' ), array_flip( array_map( 'intendant_whole', array_keys( $new ) ) ) ) as $of => $one ) {
	$laid                   = "$stage/whole-" . strtr( $of, '/', '-' );
	list( $code, , $error ) = intendant_run( array( 'cp', '-R', '--', "$folder/$of", $laid ) );
	if ( 0 !== $code ) {
		intendant_stop( "$of can't be laid out in $stage: $error; nothing was changed" );
	}
	$along[] = array( $laid, "$root/$of", "$stage/aside-" . strtr( $of, '/', '-' ), "$of: " . ( '' === $one ? 'one' : $one ) . ", put there by hand → the one that comes with MediaWiki $version" );
	$check[] = $of;
}
foreach ( $write as $at => $path ) {
	$draft = "$stage/$at";
	if ( 0 === strpos( $new[ $path ], 'link ' ) ) {
		$fine = symlink( substr( $new[ $path ], 5 ), $draft );
	} else {
		$mode = is_file( "$root/$path" ) ? fileperms( "$root/$path" ) & 0777 : ( fileperms( "$folder/$path" ) & 0111 ? 0755 : 0644 );
		$fine = copy( "$folder/$path", $draft ) && chmod( $draft, $mode );
	}
	if ( ! $fine ) {
		intendant_stop( "$path can't be laid out in $stage; nothing was changed" );
	}
}
// From here on files of the site change.
foreach ( $write as $at => $path ) {
	$above = dirname( "$root/$path" );
	if ( ( ! is_dir( $above ) && ! mkdir( $above, 0755, true ) ) || ! rename( "$stage/$at", "$root/$path" ) ) {
		intendant_stop( "$path could not be put in place after $at of " . count( $write ) . ' files; the core is half done', 5 );
	}
}
foreach ( $remove as $path ) {
	if ( ! unlink( "$root/$path" ) ) {
		intendant_stop( "$path could not be removed; the core is half done", 5 );
	}
	for ( $above = dirname( $path ); '.' !== $above && @rmdir( "$root/$above" ); $above = dirname( $above ) ) {
		continue;
	}
}
foreach ( $along as list( $laid, $place, $aside, $text ) ) {
	intendant_swap( $laid, $place, $aside );
	echo "$text\n";
}
foreach ( $new as $path => $ignored ) {
	if ( in_array( intendant_whole( $path ), $check, true ) ) {
		$write[] = $path;
	}
}
foreach ( $write as $path ) {
	if ( intendant_present( "$root/$path" ) !== $new[ $path ] ) {
		intendant_stop( "$path is not what was put there", 5 );
	}
}
echo "MediaWiki: $has → $version, " . count( $write ) . ' files put in place, ' . count( $remove ) . " removed\n";
