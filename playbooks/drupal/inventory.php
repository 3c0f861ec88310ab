<?php
/**
 * Prints what a site is made of and what Composer's repositories offer, as one JSON document
 * after a marker line. It asks anew and changes nothing:
 *
 *   php inventory.php ROOT URL SCRATCH
 *
 * What can be taken is found by asking Composer to do it dry: the constraints of composer.json and of
 * other packages keep much of what is published away.
 */

require __DIR__ . '/site.php';

list( , $root, $url, $scratch ) = $argv;
$project   = intendant_project( $root );
$packages  = array_column( intendant_packages( $project ), null, 'name' );
$core      = $project['core'] ?? $packages['drupal/core']['version'] ?? null;
$document  = array(
	'core'       => array( 'title' => 'Drupal', 'version' => $core, 'offers' => array() ),
	'platform'   => array( 'php' => PHP_VERSION ),
	'extensions' => array(),
	'sources'    => array(),
);
if ( null === $project['why'] && null !== $core && version_compare( $core, '10.0.0-alpha1', '<' ) ) {
	$project['why'] = "this playbook updates Drupal 10 and 11, and this is $core: a major version that is planned by itself";
}

// --- what is there ---------------------------------------------------------

/** What Drush knows of extensions, by name; every one of the file system, the core's left out. */
$listed = array();
if ( is_file( $project['drush'] ) ) {
	list( $status, $out, $err ) = intendant_run(
		array_merge( intendant_drush( $project, $url ), array( 'pm:list', '--no-core', '--format=json', '--fields=name,display_name,type,status,version,path' ) ),
		$project['root']
	);
	$read = intendant_json( $out );
	if ( null === $read && ( 0 !== $status || '' !== trim( $out ) ) ) {
		fwrite( STDERR, "Drush could not list the modules (status $status): " . intendant_tail( $err . "\n" . $out ) . "\n" );
		exit( 1 );
	}
	foreach ( array_slice( $read ?? array(), 0, INTENDANT_MOST ) as $name => $row ) {
		if ( is_array( $row ) && is_string( $row['path'] ?? null ) && 0 !== strpos( $row['path'], 'core/' ) ) {
			$listed[ (string) ( $row['name'] ?? $name ) ] = $row;
		}
	}
}
// Drupal's own word on whether its database may be updated; "-y" would pass it over later.
if ( null === $project['why'] ) {
	list( $status, $errors, $said ) = intendant_requirements( $project, $url );
	if ( 0 !== $status || null === $errors ) {
		fwrite( STDERR, "Drupal could not be asked what its updates need (status $status): $said\n" );
		exit( 1 );
	}
	if ( $errors ) {
		$project['why'] = 'Drupal itself says that its database must not be updated: ' . implode( '; ', array_column( $errors, 'says' ) ) . '; mend that first';
	}
}

$text  = static fn( $value ) => is_string( $value ) && '' !== $value ? $value : null;
$title = static fn( $row ) => isset( $row['display_name'] ) ? preg_replace( '/ \([^()]*\)$/', '', (string) $row['display_name'] ) : null;

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
$webroot = realpath( $project['webroot'] ) ?: $project['webroot'];
$owner   = static function ( string $path ) use ( $components, $packages, $webroot ) {
	$place = realpath( "$webroot/$path" ) ?: "$webroot/$path";
	foreach ( array_keys( $components ) as $name ) {
		$folder = $packages[ $name ]['folder'];
		if ( null !== $folder && ( $place === $folder || 0 === strpos( $place, "$folder/" ) ) ) {
			return $name;
		}
	}
	return null;
};
$of_package = array();
$alone      = array();
foreach ( $listed as $name => $row ) {
	$of = $owner( $row['path'] );
	if ( null === $of ) {
		$alone[ $name ] = $row;
	} else {
		$of_package[ $of ][ $name ] = $row;
	}
}
$enabled = static fn( $row ) => 'enabled' === strtolower( (string) ( $row['status'] ?? '' ) );

// --- what is offered -------------------------------------------------------

$composer    = intendant_composer( $project );
$environment = intendant_composer_environment( $scratch );
$unreached   = null;
$latest      = array();
$taken       = array();
$after       = array();
$why_not     = array();
$advisories  = null;
$release     = null;
if ( null === $project['why'] && null === $composer ) {
	$unreached = 'there is no composer for this account: install Composer 2.7 or newer';
}
if ( null === $project['why'] && null !== $composer ) {
	$dev = false === ( $project['installed']['dev'] ?? true ) ? array( '--no-dev' ) : array();
	$ask = static function ( array $words ) use ( $composer, $project, $environment, &$unreached ) {
		$answer    = intendant_run( array_merge( $composer, $words, array( '--no-interaction', '--no-ansi' ) ), $project['root'], $environment );
		$unreached = $unreached ?? intendant_unreached( $answer[2] );
		return $answer;
	};
	list( , $out )  = $ask( array( '--version' ) );
	$release        = preg_match( '/Composer (?:version )?(\d+\.\d+\.\d+)/', $out, $found ) ? $found[1] : '0';
	if ( version_compare( $release, '2.2.0', '<' ) ) {
		$unreached = "Composer $release is too old to be asked: 2.7 or newer is needed";
	} else {
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
		// Composer leaves out what this host's PHP is too old for. Of the core that is told.
		list( , $out ) = null === $unreached ? $ask( array_merge( array( 'outdated', 'drupal/core*', '--format=json', '--ignore-platform-req=php' ), $dev ) ) : array( 0, '' );
		foreach ( intendant_json( $out )['installed'] ?? array() as $row ) {
			$version = 'drupal/core' === ( $row['name'] ?? '' ) ? $text( $row['latest'] ?? null ) : null;
			if ( null !== $version && version_compare( $version, $latest['drupal/core'][0] ?? (string) $core, '>' ) ) {
				list( , $said ) = $ask( array( 'why-not', 'drupal/core', $version ) );
				$needs_php      = preg_match( '/ requires +php \(>=? *([0-9][0-9.]*)/', $said, $found ) && version_compare( PHP_VERSION, $found[1], '<' ) ? array( $version, $found[1] ) : null;
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
		}
		foreach ( array_keys( (array) $advisories ) as $name ) {
			if ( isset( $packages[ $name ] ) && ! in_array( $name, INTENDANT_CORE, true ) ) {
				$components[ $name ] = intendant_component( $packages[ $name ] );
			}
		}
		// With older ones, dependencies of what is named can't be let along without updating half the site.
		$along = version_compare( $release, '2.7.0', '>=' ) ? array( '-W', '--minimal-changes' ) : array();
		$try   = static function ( array $names, array $options ) use ( $ask, $dev, $packages ) {
			list( $status, $out, $err ) = $ask( array_merge( array( 'update', '--dry-run', '--no-progress' ), $options, $dev, $names ) );
			$said                       = $out . "\n" . $err;
			preg_match_all( '/^\s*- (?:Upgrading|Updating) (\S+) \((\S+) => (\S+)\)/m', $said, $all, PREG_SET_ORDER );
			$found = array();
			$plain = array_map( static fn( $name ) => strtok( $name, ':' ), $names );
			foreach ( $all as $one ) {
				if ( in_array( strtolower( $one[1] ), $plain, true ) ) {
					$found[ strtolower( $one[1] ) ] = $one[3];
				}
			}
			// The reasons stand below "Problem 1", each behind a dash; else it is an error.
			$why = preg_match( '/^\s*Problem 1\s*$(.*)/ms', $said, $part ) && preg_match_all( '/^\s*- (.+)$/m', $part[1], $reasons ) ? implode( '; ', array_slice( $reasons[1], 0, 2 ) ) : $said;
			return array( 0 === $status, $found, rtrim( intendant_tail( $why, 160 ), '. ' ) );
		};
		$set    = array_values( array_intersect( INTENDANT_CORE, array_keys( $packages ) ) );
		$within = static fn( $version ) => array_map( static fn( $name ) => in_array( $name, array( 'drupal/core', 'drupal/core-recommended' ), true ) ? "$name:$version" : $name, $set );
		$wanted = array_values( array_intersect( array_keys( $latest ), array_keys( $components ) ) );
		if ( null === $unreached && $set && array_intersect( $set, array_keys( $latest ) ) ) {
			list( $fine, $found, $said ) = $try( $set, $along ?: array( '-W' ) );
			$taken                      += $found;
			if ( ! $fine ) {
				$why_not['drupal/core'] = $said;
			}
			// Where composer.json allows the next major version, the newest of this one is an offer as well.
			$major = strtok( (string) $core, '.' );
			if ( isset( $taken['drupal/core'] ) && strtok( $taken['drupal/core'], '.' ) !== $major ) {
				list( , $found )     = $try( $within( "$major.*" ), $along ?: array( '-W' ) );
				$taken_of_this_major = $found['drupal/core'] ?? null;
			}
		}
		if ( null === $unreached && $wanted ) {
			// The core stays: Composer would take it along, even to its next major version.
			$still                       = array_merge( $along, intendant_core_stays( $packages ) );
			list( $fine, $found, $said ) = $try( $wanted, $still );
			$taken                      += $found;
			// One that can't move must not hide the others.
			foreach ( $fine ? array() : array_slice( $wanted, 0, 60 ) as $name ) {
				list( $fine, $found, $said ) = $try( array( $name ), $still );
				$taken                      += $found;
				if ( ! $fine ) {
					$why_not[ $name ] = $said;
				}
			}
			// What nothing but the core keeps back can follow a core that is offered.
			$with = $taken_of_this_major ?? $taken['drupal/core'] ?? null;
			$rest = array_values( array_diff( $wanted, array_keys( $taken ) ) );
			if ( null !== $with && $rest ) {
				list( , $found ) = $try( array_merge( $within( $with ), $rest ), $along ?: array( '-W' ) );
				foreach ( ( $found['drupal/core'] ?? null ) === $with ? array_intersect_key( $found, array_flip( $rest ) ) : array() as $name => $version ) {
					$after[ $name ] = array( $version, $with );
				}
			}
		}
	}
}
// Why what is published can't be taken, in Composer's own words, for as many as somebody will read.
foreach ( null === $unreached ? array_slice( array_keys( $latest ), 0, 200 ) : array() as $name ) {
	$shown = 'drupal/core' === $name || isset( $components[ $name ] ) && isset( $direct[ $name ] );
	if ( $shown && ! isset( $why_not[ $name ] ) && ! isset( $taken[ $name ] ) && ! isset( $after[ $name ] ) && count( $why_not ) < 15 ) {
		list( , $out, $err ) = $ask( array( 'why-not', $name, $latest[ $name ][0] ) );
		$lines               = preg_grep( '/ requires? | conflicts? /', preg_split( '/\R/', $out ) );
		$lines               = array_map( static fn( $line ) => trim( preg_replace( '/ +/', ' ', $line ) ), array_slice( $lines, 0, 3 ) );
		if ( $lines ) {
			$why_not[ $name ] = substr( implode( '; ', $lines ), 0, 200 );
		}
	}
}
if ( null === $project['why'] ) {
	$document['sources'][] = array( 'name' => 'the repositories of composer.json', 'reachable' => null === $unreached, 'why' => $unreached );
}
if ( null !== $unreached ) {
	$latest = array();
	$taken  = array();
	$after  = array();
}

$kept  = static function ( string $name, string $version ) use ( $direct, $why_not ) {
	$asked = 'drupal/core' === $name && isset( $direct['drupal/core-recommended'] ) ? 'drupal/core-recommended' : $name;
	$asks  = isset( $direct[ $asked ] ) ? "composer.json asks for $asked {$direct[ $asked ]}" : "something that is installed keeps $name where it is";
	$said  = isset( $why_not[ $name ] ) ? " ($why_not[$name])" : '';
	if ( 'drupal/core' !== $name && preg_match( '{ requires? drupal/core }', $said ) ) {
		return "it needs another core$said: that comes first";
	}
	return "$asks$said: change that by hand, then try again";
};
$offer = static function ( string $name ) use ( $latest, $taken, $after, $packages, $kept, $direct ) {
	$source = 0 === strpos( $name, 'drupal/' ) ? 'drupal.org' : 'packagist.org';
	if ( isset( $taken[ $name ] ) && $taken[ $name ] !== $packages[ $name ]['version'] ) {
		$same = ( $latest[ $name ][0] ?? null ) === $taken[ $name ];
		return array( 'version' => $taken[ $name ], 'package' => true, 'source' => $source, 'published' => $same ? $latest[ $name ][1] : null );
	}
	if ( isset( $after[ $name ] ) ) {
		list( $version, $with ) = $after[ $name ];
		$same                   = ( $latest[ $name ][0] ?? null ) === $version;
		return array( 'version' => $version, 'package' => true, 'source' => $source, 'published' => $same ? $latest[ $name ][1] : null, 'requires' => array( 'core' => $with ) );
	}
	// What only another package asks for may stay behind without anybody having to know.
	return isset( $latest[ $name ] ) && ( isset( $direct[ $name ] ) || 0 === strpos( $name, 'drupal/' ) )
		? array( 'version' => $latest[ $name ][0], 'package' => false, 'source' => $source, 'manual' => $kept( $name, $latest[ $name ][0] ), 'published' => $latest[ $name ][1] )
		: null;
};

// --- the document ----------------------------------------------------------

/** The first thing below a folder that this account can't replace, relative to the project. */
$unwritable = static function ( string $path ) use ( $project ) {
	$seen  = 0;
	$queue = array( $path );
	while ( $queue && $seen < 20000 ) {
		$one = array_pop( $queue );
		++$seen;
		if ( is_link( $one ) ) {
			continue;
		}
		// A file goes by its folder.
		if ( ! is_writable( $one ) && ( is_dir( $one ) || $one === $path ) ) {
			return ltrim( substr( $one, strlen( $project['root'] ) ), '/' );
		}
		foreach ( is_dir( $one ) ? (array) @scandir( $one ) : array() as $name ) {
			if ( is_string( $name ) && '.' !== $name && '..' !== $name ) {
				$queue[] = "$one/$name";
			}
		}
	}
	return null;
};

$core_offers = array();
$name        = isset( $packages['drupal/core'] ) ? 'drupal/core' : 'drupal/core-recommended';
if ( isset( $packages[ $name ] ) ) {
	$can = $taken[ $name ] ?? null;
	if ( null !== $can && $can !== $core ) {
		$core_offers[] = array( 'version' => $can, 'package' => true, 'source' => 'drupal.org', 'published' => ( $latest[ $name ][0] ?? null ) === $can ? $latest[ $name ][1] : null );
	}
	if ( isset( $taken_of_this_major ) && null === $unreached ) {
		$core_offers[] = array( 'version' => $taken_of_this_major, 'package' => true, 'source' => 'drupal.org' );
	}
	if ( isset( $latest[ $name ] ) && $latest[ $name ][0] !== $can ) {
		$core_offers[] = array( 'version' => $latest[ $name ][0], 'package' => false, 'source' => 'drupal.org', 'manual' => $kept( $name, $latest[ $name ][0] ), 'published' => $latest[ $name ][1] );
	}
	if ( isset( $needs_php ) && null === $unreached ) {
		$core_offers[] = array( 'version' => $needs_php[0], 'package' => true, 'source' => 'drupal.org', 'requires' => array( 'php' => $needs_php[1] ) );
	}
	foreach ( $core_offers ? array( $project['webroot'] . '/core', $project['vendor'], "$root/composer.lock" ) : array() as $part ) {
		$document['core']['unwritable'] = $document['core']['unwritable'] ?? $unwritable( $part );
	}
	// What the scaffold replaces lies beside files of visitors, which may be the web server's. sites/default is read-only, and
	// made writable for that where it is ours.
	$default = $project['webroot'] . '/sites/default';
	$ours    = function_exists( 'posix_geteuid' ) && @fileowner( $default ) === posix_geteuid();
	foreach ( $core_offers ? array_filter( array( $project['webroot'], $ours ? null : $default ) ) : array() as $part ) {
		if ( is_dir( $part ) && ! is_writable( $part ) ) {
			$document['core']['unwritable'] = $document['core']['unwritable'] ?? ( ltrim( substr( $part, strlen( $project['root'] ) ), '/' ) ?: '.' );
		}
	}
}
$document['core']['offers'] = $core_offers;

$seen = array();
foreach ( $components as $name => list( $kind, $slug ) ) {
	$package  = $packages[ $name ];
	$rows     = $of_package[ $name ] ?? array();
	$main     = $rows[ $slug ] ?? array();
	$needs    = array();
	foreach ( $package['requires'] as $needed ) {
		if ( isset( $components[ $needed ] ) && 'library' !== $components[ $needed ][0] ) {
			$needs[] = implode( ':', $components[ $needed ] );
		}
	}
	$extension = array(
		'kind'     => $kind,
		'slug'     => $slug,
		'title'    => $title( $main ) ?? $slug,
		'version'  => $package['version'],
		'active'   => 'library' === $kind || array_filter( $rows, $enabled ) !== array(),
		// Programs and plugins of Composer are tools, and no part of what visitors see.
		'shipped'  => 'library' === $kind && in_array( $package['type'], array( 'library', 'composer-plugin', 'metapackage', 'project' ), true ),
		'requires' => array( 'extensions' => $needs ),
		'offer'    => $offer( $name ),
	);
	if ( $extension['offer'] && $package['folder'] ) {
		$extension['unwritable'] = $unwritable( $package['folder'] );
	}
	$document['extensions'][] = $extension;
	$seen["$kind:$slug"]      = true;
	foreach ( $rows as $child => $row ) {
		$of = in_array( $row['type'] ?? '', array( 'theme', 'profile' ), true ) ? $row['type'] : 'module';
		if ( $child !== $slug && ! isset( $seen["$of:$child"] ) ) {
			$document['extensions'][] = array( 'kind' => $of, 'slug' => (string) $child, 'title' => $title( $row ) ?? (string) $child, 'version' => $package['version'], 'active' => $enabled( $row ), 'shipped' => true, 'parent' => "$kind:$slug" );
			$seen["$of:$child"]       = true;
		}
	}
}
// What Composer did not bring: the site's own. Of several below one folder the outermost counts.
ksort( $alone );
$folders = array();
foreach ( $alone as $name => $row ) {
	$folders[ $row['path'] ] = ( in_array( $row['type'] ?? '', array( 'theme', 'profile' ), true ) ? $row['type'] : 'module' ) . ":$name";
}
foreach ( $alone as $name => $row ) {
	$id     = $folders[ $row['path'] ];
	$parent = null;
	for ( $above = dirname( $row['path'] ); '.' !== $above && '/' !== $above; $above = dirname( $above ) ) {
		$parent = $folders[ $above ] ?? $parent;
	}
	if ( ! isset( $seen[ $id ] ) ) {
		$info                     = intendant_info_version( "$webroot/{$row['path']}/$name.info.yml" );
		$document['extensions'][] = array( 'kind' => strtok( $id, ':' ), 'slug' => (string) $name, 'title' => $title( $row ) ?? (string) $name, 'version' => $info ?? $text( $row['version'] ?? null ), 'active' => $enabled( $row ), 'shipped' => null !== $parent, 'parent' => $parent );
		$seen[ $id ]              = true;
	}
}

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
if ( null !== $project['why'] ) {
	$document['unsupported'] = $project['why'];
}
$log = (string) ini_get( 'error_log' );
if ( '' !== $log && '/' === $log[0] ) {
	$document['error_log'] = $log;
}
echo "\n@intendant-inventory@" . json_encode( $document, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES ) . "\n";
