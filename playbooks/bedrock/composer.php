<?php
/**
 * Prints what a site is made of and what Composer's repositories offer, as one JSON document
 * after a marker line. It asks anew and changes nothing:
 *
 *   php composer.php ROOT SCRATCH WP-CLI
 *
 * WordPress itself says what is there and what runs (inventory.php); of what Composer installed, Composer says what can be
 * taken, by trying it dry: the constraints of composer.json and of other packages keep much of what is published away.
 */

require __DIR__ . '/project.php';

list( , $root, $scratch, $wp ) = $argv;
$project  = intendant_project( $root );
$packages = array_column( intendant_packages( $project ), null, 'name' );
$text     = static fn( $value ) => is_string( $value ) && '' !== $value ? $value : null;

// --- what is there, and runs -----------------------------------------------

list( $status, $out, $err ) = intendant_run( array_merge( intendant_wp( $project, $wp ), array( 'eval-file', __DIR__ . '/inventory.php' ) ), $root, array( 'WP_CLI_CACHE_DIR' => $scratch ) );
$at       = strpos( $out, "\n@intendant-inventory@" );
$document = false === $at ? null : json_decode( substr( $out, $at + 22 ), true );
if ( 0 !== $status || ! is_array( $document ) ) {
	fwrite( STDERR, "WordPress could not be asked what it is made of (status $status): " . intendant_tail( $err . "\n" . $out ) . "\n" );
	exit( 1 );
}
// What stands there of Composer is the reason for this playbook.
$document['unsupported'] = $project['why'];
// Visitors come to the front page, and not to WordPress's own folder.
$document['address'] = $document['home'] ?? $document['address'] ?? null;

$direct = array();
foreach ( array( 'require', 'require-dev' ) as $part ) {
	foreach ( is_array( $project['composer'][ $part ] ?? null ) ? $project['composer'][ $part ] : array() as $name => $constraint ) {
		$direct[ strtolower( $name ) ] = (string) $constraint;
	}
}
/** Packages that are extensions: by kind and name. Libraries are those that the project itself asks for. */
$components = array();
foreach ( $packages as $name => $package ) {
	$component = intendant_component( $package );
	if ( $component && ( 'library' !== $component[0] || isset( $direct[ $name ] ) ) ) {
		$components[ $name ] = $component;
	}
}

// --- what is offered -------------------------------------------------------

$composer   = intendant_composer( $project );
$set        = array_values( array_intersect( INTENDANT_CORE, array_keys( $packages ) ) );
$unreached  = null;
$latest     = array();
$taken      = array();
$why_not    = array();
$advisories = null;
if ( null === $project['why'] && null === $composer ) {
	$unreached = 'there is no composer for this account: install Composer 2.7 or newer';
}
if ( null === $project['why'] && null !== $composer ) {
	$environment = intendant_composer_environment( $scratch );
	$dev         = false === ( $project['installed']['dev'] ?? true ) ? array( '--no-dev' ) : array();
	$ask         = static function ( array $words ) use ( $composer, $project, $environment, &$unreached ) {
		$answer    = intendant_run( array_merge( $composer, $words, array( '--no-interaction', '--no-ansi' ) ), $project['root'], $environment );
		$unreached = $unreached ?? intendant_unreached( $answer[2] );
		return $answer;
	};
	list( , $out ) = $ask( array( '--version' ) );
	$release       = preg_match( '/Composer (?:version )?(\d+\.\d+\.\d+)/', $out, $found ) ? $found[1] : '0';
	if ( version_compare( $release, '2.2.0', '<' ) ) {
		$unreached = "Composer $release is too old to be asked: 2.7 or newer is needed";
	}
	// With older ones, dependencies of what is named can't be let along without updating half the site.
	$along = version_compare( $release, '2.7.0', '>=' ) ? array( '-W', '--minimal-changes' ) : array();
	$try   = static function ( array $names, array $options ) use ( $ask, $dev ) {
		list( $status, $out, $err ) = $ask( array_merge( array( 'update', '--dry-run', '--no-progress' ), $options, $dev, $names ) );
		$said                       = $out . "\n" . $err;
		preg_match_all( '/^\s*- (?:Upgrading|Updating) (\S+) \((\S+) => (\S+)\)/m', $said, $all, PREG_SET_ORDER );
		$found = array();
		foreach ( $all as $one ) {
			if ( in_array( strtolower( $one[1] ), $names, true ) ) {
				$found[ strtolower( $one[1] ) ] = $one[3];
			}
		}
		// The reasons stand below "Problem 1", each behind a dash; else it is an error.
		$why = preg_match( '/^\s*Problem 1\s*$(.*)/ms', $said, $part ) && preg_match_all( '/^\s*- (.+)$/m', $part[1], $reasons ) ? implode( '; ', array_slice( $reasons[1], 0, 2 ) ) : $said;
		return array( 0 === $status, $found, rtrim( intendant_tail( $why, 160 ), '. ' ) );
	};
	if ( null === $unreached ) {
		list( $status, $out, $err ) = $ask( array_merge( array( 'outdated', '--format=json' ), $dev ) );
		$read                       = intendant_json( $out );
		if ( 0 !== $status || ! isset( $read['installed'] ) ) {
			$unreached = $unreached ?? "composer outdated ended with status $status: " . intendant_tail( $err . "\n" . $out );
		}
		foreach ( $read['installed'] ?? array() as $row ) {
			$name = strtolower( (string) ( $row['name'] ?? '' ) );
			if ( isset( $packages[ $name ] ) && is_string( $row['latest'] ?? null ) && 'up-to-date' !== ( $row['latest-status'] ?? '' ) && false === strpos( $row['latest'], ' ' ) && '[' !== $row['latest'][0] ) {
				$latest[ $name ] = array( $row['latest'], $text( $row['latest-release-date'] ?? null ) );
			}
		}
	}
	if ( null === $unreached && version_compare( $release, '2.4.0', '>=' ) ) {
		$words                      = array_merge( array( 'audit', '--locked', '--format=json' ), $dev, version_compare( $release, '2.8.0', '>=' ) ? array( '--abandoned=report' ) : array() );
		list( $status, $out, $err ) = $ask( $words );
		$read                       = intendant_json( $out );
		// The status is a count, or bits, or whatever it is in this version: what was printed counts.
		if ( is_array( $read['advisories'] ?? null ) ) {
			$advisories = $read['advisories'];
		} elseif ( false === strpos( $out . $err, 'skipping audit' ) ) {
			$unreached = $unreached ?? "composer audit ended with status $status: " . intendant_tail( $err . "\n" . $out );
		}
		foreach ( array_keys( (array) $advisories ) as $name ) {
			if ( isset( $packages[ $name ] ) && ! in_array( $name, INTENDANT_CORE, true ) ) {
				$components[ $name ] = intendant_component( $packages[ $name ] );
			}
		}
	}
	if ( null === $unreached && array_intersect( $set, array_keys( $latest ) ) ) {
		list( $fine, $found, $said ) = $try( $set, $along ?: array( '-W' ) );
		$taken                      += $found;
		if ( ! $fine ) {
			$why_not += array_fill_keys( $set, $said );
		}
	}
	$wanted = array_values( array_intersect( array_keys( $latest ), array_keys( $components ) ) );
	if ( null === $unreached && $wanted ) {
		list( $fine, $found, $said ) = $try( $wanted, $along );
		$taken                      += $found;
		// One that can't move must not hide the others.
		foreach ( $fine ? array() : array_slice( $wanted, 0, 60 ) as $name ) {
			list( $fine, $found, $said ) = $try( array( $name ), $along );
			$taken                      += $found;
			if ( ! $fine ) {
				$why_not[ $name ] = $said;
			}
		}
	}
}
if ( null === $project['why'] ) {
	$document['sources'][] = array( 'name' => 'the repositories of composer.json', 'reachable' => null === $unreached, 'why' => $unreached );
}
if ( null !== $unreached ) {
	$latest = array();
	$taken  = array();
}
$kept  = static function ( string $name ) use ( $direct, $why_not ) {
	$asks = isset( $direct[ $name ] ) ? "composer.json asks for $name {$direct[ $name ]}" : "something that is installed keeps $name where it is";
	return $asks . ( isset( $why_not[ $name ] ) ? " ($why_not[$name])" : '' ) . ': change that by hand, then try again';
};
$offer = static function ( string $name, ?array $known ) use ( $latest, $taken, $packages, $kept ) {
	// What a version needs says WordPress.org, where it speaks of the same one.
	$needs = static fn( string $version ) => (object) ( ( $known['version'] ?? null ) === $version ? $known['requires'] ?? array() : array() );
	$can   = $taken[ $name ] ?? null;
	if ( null !== $can && $can !== $packages[ $name ]['version'] ) {
		$same = ( $latest[ $name ][0] ?? null ) === $can;
		return array( 'version' => $can, 'package' => true, 'source' => 'Composer', 'published' => $same ? $latest[ $name ][1] : null, 'requires' => $needs( $can ) );
	}
	return isset( $latest[ $name ] )
		? array( 'version' => $latest[ $name ][0], 'package' => false, 'source' => 'Composer', 'manual' => $kept( $name ), 'published' => $latest[ $name ][1], 'requires' => $needs( $latest[ $name ][0] ) )
		: null;
};

// --- the document ----------------------------------------------------------

$core = array();
foreach ( $set as $name ) {
	foreach ( array_merge( $document['core']['offers'] ?? array(), array( null ) ) as $known ) {
		$one = $offer( $name, $known );
		if ( $one && ( ! isset( $core[ $one['version'] ] ) || array() !== (array) $one['requires'] ) ) {
			$core[ $one['version'] ] = $one;
		}
	}
}
$document['core']['offers']     = array_values( $core );
$document['core']['unwritable'] = null;
foreach ( $core ? array( $project['wp'], $project['vendor'], "$root/composer.lock" ) : array() as $part ) {
	$document['core']['unwritable'] = $document['core']['unwritable'] ?? intendant_unwritable( $project, $part );
}
$of_folder = array();
foreach ( $components as $name => $component ) {
	$of_folder[ implode( ':', $component ) ] = $name;
}
$extensions = array();
foreach ( $document['extensions'] ?? array() as $one ) {
	$id   = "{$one['kind']}:{$one['slug']}";
	$name = $of_folder[ $id ] ?? null;
	if ( null !== $name ) {
		unset( $of_folder[ $id ] );
		$package           = $packages[ $name ];
		$found             = $offer( $name, $one['offer'] ?? null );
		$one['version']    = intendant_version( $one['version'] ?? null, $package['version'] );
		$one['offer']      = $found;
		$one['unwritable'] = $found && $package['folder'] ? intendant_unwritable( $project, $package['folder'] ) : null;
	} elseif ( isset( $one['offer'] ) && 'language' !== $one['kind'] ) {
		// Its files would be WordPress's to change, past Composer and the repository from which the site is made.
		$one['offer']['manual'] = 'Composer does not know it: take it into composer.json, or update it where the project is kept';
	} elseif ( isset( $one['offer'] ) ) {
		$one['offer'] = null;
	}
	$extensions[] = $one;
}
// What WordPress does not list: extensions that it can't load, must-use plugins in folders, libraries.
foreach ( $of_folder as $id => $name ) {
	list( $kind, $slug ) = $components[ $name ];
	$package             = $packages[ $name ];
	$found               = $offer( $name, null );
	$extensions[]        = array(
		'kind'       => $kind,
		'slug'       => $slug,
		'title'      => $slug,
		'version'    => $package['version'],
		'active'     => 'library' === $kind || 'mu-plugin' === $kind,
		'shipped'    => 'library' === $kind,
		'offer'      => $found,
		'unwritable' => $found && $package['folder'] ? intendant_unwritable( $project, $package['folder'] ) : null,
	);
}
$document['extensions'] = $extensions;
if ( null !== $advisories ) {
	$document['vulnerabilities'] = array();
	foreach ( $advisories as $name => $list ) {
		$name      = strtolower( (string) $name );
		$component = in_array( $name, INTENDANT_CORE, true ) ? 'core:core' : implode( ':', $components[ $name ] ?? array( 'library', $name ) );
		foreach ( is_array( $list ) ? $list : array() as $one ) {
			$id = $text( $one['sources'][0]['remoteId'] ?? null ) ?? $text( $one['advisoryId'] ?? null ) ?? $text( $one['cve'] ?? null );
			$document['vulnerabilities'][] = array(
				'component'  => $component,
				'id'         => $id ?? 'unknown',
				'cve'        => $text( $one['cve'] ?? null ),
				'title'      => $text( $one['title'] ?? null ) ?? (string) $id,
				'affected'   => $text( $one['affectedVersions'] ?? null ),
				'published'  => $text( $one['reportedAt'] ?? null ),
				'severity'   => $text( $one['severity'] ?? null ),
				'references' => array_values( array_filter( array( $text( $one['link'] ?? null ) ) ) ),
			);
		}
	}
}
unset( $document['places'] );
echo "\n@intendant-inventory@" . json_encode( $document, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES ) . "\n";
